/** Posts to a sandbox as SendGrid's clients do. */
export async function post(
  url: string,
  changes: { to?: string; subject?: string; html?: string; segment?: string; messageId?: string } = {},
): Promise<Response> {
  const { to = "ada@example.com", subject = "Your cart is saved", html = "<p>Hello Ada</p>", segment = "cart_abandoned", messageId = "m1" } = changes;
  return fetch(`${url}/v3/mail/send`, {
    method: "POST",
    headers: { authorization: "Bearer SG.sandbox", "content-type": "application/json" },
    body: JSON.stringify({
      personalizations: [
        { to: [{ email: to }], headers: { "List-Unsubscribe": "<https://shop.example/u>" }, custom_args: { message_id: messageId, run_id: "r1" } },
      ],
      from: { email: "shop@example.com", name: "Shop" },
      subject,
      content: [
        { type: "text/plain", value: "Hello Ada, in text" },
        { type: "text/html", value: html },
      ],
      categories: [segment],
    }),
  });
}
