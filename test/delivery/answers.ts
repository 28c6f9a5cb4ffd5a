/** The answers that a provider, a gateway or a broken server may write, byte for byte. */

/** An answer, and what the exchange makes of its message once all of it was read. */
export interface Answer {
  readonly bytes: string;
  /** `again`: it refuses the message in a way that lets it be sent again in this run. */
  readonly means: "accepted" | "failed" | "again" | "stopped" | "in_doubt";
  /** Interim answers at the front: the client sees as many blocks of headers, and one more. */
  readonly interim?: number;
}

function sized(status: string, body = "", headers = ""): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function chunked(status: string, body: string, headers = ""): string {
  return `HTTP/1.1 ${status}\r\n${headers}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

const ERROR = '{"errors":[{"message":"No.","field":"subject"}]}';
const ID = "X-Message-Id: a1\r\n";
export const GOOD = sized("202 Accepted", "", ID);
const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
const PROCESSING = "HTTP/1.1 102 Processing\r\n\r\n";
const OWN = "HTTP/1.1 199 Working\r\nX-Progress: 1\r\n\r\n";

export const ANSWERS: Readonly<Record<string, Answer>> = {
  "202": { bytes: GOOD, means: "accepted" },
  "202 in chunks": { bytes: chunked("202 Accepted", "ok", ID), means: "accepted" },
  "200 with a body": { bytes: sized("200 OK", '{"id":"a1"}', ID), means: "accepted" },
  "202 that closes": { bytes: sized("202 Accepted", "", `${ID}Connection: close\r\n`), means: "accepted" },
  "202 of HTTP/1.0": { bytes: "HTTP/1.0 202 Accepted\r\n\r\nok", means: "accepted" },
  "202 with a surplus body": { bytes: `${GOOD}surplus`, means: "accepted" },
  "202, then another answer": { bytes: `${GOOD}${sized("500 Late")}`, means: "accepted" },
  "400": { bytes: sized("400 Bad Request", ERROR), means: "failed" },
  "413 that closes": { bytes: sized("413 Too Large", ERROR, "Connection: close\r\n"), means: "failed" },
  "422 in chunks": { bytes: chunked("422 Unprocessable", ERROR), means: "failed" },
  "429": { bytes: sized("429 Too Many Requests", ERROR, "Retry-After: 1\r\n"), means: "again" },
  "500": { bytes: sized("500 Internal Server Error", ERROR), means: "again" },
  "500 in chunks": { bytes: chunked("500 Internal Server Error", ERROR), means: "again" },
  "500 without a body": { bytes: sized("500 Internal Server Error"), means: "again" },
  "503": { bytes: sized("503 Unavailable", ERROR, "Retry-After: 2\r\nConnection: close\r\n"), means: "again" },
  "425": { bytes: sized("425 Too Early"), means: "again" },
  "401": { bytes: sized("401 Unauthorized", ERROR), means: "stopped" },
  "404": { bytes: chunked("404 Not Found", "nothing here"), means: "stopped" },
  "301": { bytes: sized("301 Moved", "moved", "Location: /elsewhere\r\n"), means: "stopped" },
  "307": { bytes: sized("307 Temporary Redirect", "", "Location: /elsewhere\r\n"), means: "stopped" },
  "302": { bytes: sized("302 Found", "", "Location: /done\r\n"), means: "in_doubt" },
  "303": { bytes: sized("303 See Other", "", "Location: /done\r\n"), means: "in_doubt" },
  "304": { bytes: "HTTP/1.1 304 Not Modified\r\n\r\n", means: "in_doubt" },
  "406": { bytes: sized("406 Not Acceptable"), means: "in_doubt" },
  "408": { bytes: sized("408 Request Timeout", "", "Connection: close\r\n"), means: "in_doubt" },
  "502": { bytes: sized("502 Bad Gateway", "<html>bad gateway</html>"), means: "in_doubt" },
  "504": { bytes: chunked("504 Gateway Timeout", "<html>timeout</html>"), means: "in_doubt" },
  "500 that ends with its connection": { bytes: `HTTP/1.1 500 Internal Server Error\r\n\r\n${ERROR}`, means: "in_doubt" },
  "503 in a coding that its connection ends": { bytes: "HTTP/1.1 503 Unavailable\r\nTransfer-Encoding: gzip\r\n\r\nno", means: "in_doubt" },
  "429 of HTTP/1.0": { bytes: `HTTP/1.0 429 Too Many Requests\r\n\r\n${ERROR}`, means: "in_doubt" },
  "102, then 202": { bytes: `${PROCESSING}${GOOD}`, means: "accepted", interim: 1 },
  "103, then 202": { bytes: `${HINTS}${GOOD}`, means: "accepted", interim: 1 },
  "199, then 202": { bytes: `${OWN}${GOOD}`, means: "accepted", interim: 1 },
  "102, 103, 103 and 199, then 202": { bytes: `${PROCESSING}${HINTS}${HINTS}${OWN}${GOOD}`, means: "accepted", interim: 4 },
  "103, then 400": { bytes: `${HINTS}${sized("400 Bad Request", ERROR)}`, means: "failed", interim: 1 },
  "103, then 503": { bytes: `${HINTS}${sized("503 Unavailable", ERROR)}`, means: "again", interim: 1 },
  "102, then 401": { bytes: `${PROCESSING}${sized("401 Unauthorized", ERROR)}`, means: "stopped", interim: 1 },
  "103 with a length, then 202": { bytes: `HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\n${GOOD}`, means: "accepted", interim: 1 },
  "103 with a body, then 202": { bytes: `HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nno${GOOD}`, means: "in_doubt", interim: 1 },
  "103 alone": { bytes: HINTS, means: "in_doubt", interim: 1 },
  "100, then 202": { bytes: `HTTP/1.1 100 Continue\r\n\r\n${GOOD}`, means: "in_doubt" },
  "101, then 202": { bytes: `HTTP/1.1 101 Switching Protocols\r\n\r\n${GOOD}`, means: "in_doubt" },
  "101 with its headers": { bytes: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", means: "in_doubt" },
  "a number below 100": { bytes: sized("099 What"), means: "in_doubt" },
  "a number of four digits": { bytes: sized("5030 What"), means: "in_doubt" },
  "a number above 599": { bytes: sized("999 What"), means: "in_doubt" },
  "no number": { bytes: sized("OK"), means: "in_doubt" },
  "another protocol": { bytes: "220 mail.example ESMTP\r\n", means: "in_doubt" },
  "two lengths": { bytes: "HTTP/1.1 500 What\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n", means: "in_doubt" },
  "a length and chunks": { bytes: "HTTP/1.1 503 What\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", means: "in_doubt" },
  "chunks of a wrong size": { bytes: "HTTP/1.1 503 What\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno\r\n0\r\n\r\n", means: "in_doubt" },
  "headers that never end": { bytes: `HTTP/1.1 503 What\r\nX-Long: ${"x".repeat(17_000)}`, means: "in_doubt" },
};
