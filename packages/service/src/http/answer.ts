const PLAIN_TEXT = 'text/plain; charset=utf-8';
const JSON_TEXT = 'application/json; charset=utf-8';

/** Headers that end the connection with the response: the rest of a request body is not read. */
export const CLOSE: Readonly<Record<string, string>> = { Connection: 'close' };

/** Makes a response that no cache keeps. */
export function answer(
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      'Content-Type': contentType,
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
  });
}

export function text(status: number, line: string): Response {
  return answer(status, PLAIN_TEXT, `${line}\n`);
}

export function json(status: number, value: object, headers?: Readonly<Record<string, string>>): Response {
  return answer(status, JSON_TEXT, `${JSON.stringify(value)}\n`, headers);
}

/** Makes the response to a request that failed: a code for programs and a sentence for people. */
export function failure(
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): Response {
  return json(status, { error: { code, message } }, headers);
}
