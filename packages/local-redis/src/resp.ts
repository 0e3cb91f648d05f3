import { connect } from 'node:net';

/** The reply of a Redis 7.0 sentinel to a QUIT. It leaves the connection open. */
const UNKNOWN_QUIT = "-ERR unknown command 'QUIT'";
const FAREWELL = new RegExp(`(?:\\+OK|${UNKNOWN_QUIT}[^\r]*)\r\n$`);

/**
 * Sends one command to a Redis on 127.0.0.1 and resolves with its raw RESP2 reply, e.g. `+PONG\r\n`.
 *
 * Each call uses a new connection, which is closed after the answer to a QUIT sent along with the command. Rejects if
 * nothing listens, if the connection breaks, or after `timeoutMs`.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export function sendCommand(port: number, args: readonly string[], timeoutMs = 1_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = '';
    socket.setTimeout(timeoutMs, () => {
      socket.destroy(new Error(`Redis on port ${port} gave no answer to ${args[0]} within ${timeoutMs} ms`));
    });
    socket.on('connect', () => socket.write(encode(args) + encode(['QUIT'])));
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
      if (received.includes(UNKNOWN_QUIT)) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received.replace(FAREWELL, '')));
  });
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}
