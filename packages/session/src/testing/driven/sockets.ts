import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import * as baileys from '@whiskeysockets/baileys';

export * from '@whiskeysockets/baileys';

let latest: object | undefined;

/** Like Baileys' own function. The socket can be driven from now on, until a newer one is made. */
export function makeWASocket(config: baileys.UserFacingSocketConfig): baileys.WASocket {
  const socket = baileys.makeWASocket(config);
  latest = socket;
  return socket;
}

/** Calls a method of the latest socket: `{method, args}` in JSON. The answer is what it resolves with, or its error. */
const server = createServer(async (request, response) => {
  try {
    const { method, args }: { method: string; args: unknown[] } = JSON.parse(await text(request));
    const call: unknown = latest && Reflect.get(latest, method);
    if (typeof call !== 'function') throw new Error(`no socket that has ${method}`);
    const result: unknown = await call(...args);
    response.end(JSON.stringify({ result: result ?? null }));
  } catch (error) {
    response.statusCode = 500;
    response.end(JSON.stringify({ error: String(error) }));
  }
});
server.listen(new URL(import.meta.url).searchParams.get('socket'));
server.unref();
