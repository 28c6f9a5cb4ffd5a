/** Whether a host's name or address, as URLs write it or bare, is this machine itself: nobody listens in between. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}
