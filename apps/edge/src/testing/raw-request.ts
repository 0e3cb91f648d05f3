import type { ErrorCode } from '@wafleet/contract';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON body; undefined when there is none. */
  readonly body: unknown;
}

interface RequestOptions {
  readonly key?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Sends `<method> <path>` to an edge, valid or not, with an API key or admin token as `Authorization: Bearer`. For tests
 * of statuses, headers and refusals. Others use the client of the edge.
 */
export async function sendRequest(
  url: string,
  request: string,
  options: RequestOptions = {},
): Promise<Answer> {
  const [method = 'GET', path = '/'] = request.split(' ');
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

/** An answer with an error, to match an `Answer` with. */
export function errorAnswer(status: number, code: ErrorCode, details?: object) {
  return { status, body: { error: { code, ...(details === undefined ? {} : { details }) } } };
}
