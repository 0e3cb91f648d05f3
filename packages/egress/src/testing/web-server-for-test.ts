import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { waitFor } from '@wafleet/testkit';
import { onTestFinished } from 'vitest';

/** What a server does with a connection, once it has the head of a request. */
export type Answer = (socket: Socket, head: string) => void;

/** A server on 127.0.0.1 that ends with the current test. It answers byte by byte as a test says, well or badly. */
export interface WebServerForTest {
  readonly port: number;
  /** With a slash at its end. */
  readonly url: string;
  /** The heads of the requests, in their order. */
  readonly heads: readonly string[];
  /** Resolves when the clients have closed all their connections. */
  isLeft(): Promise<void>;
}

/** @param tls speaks TLS with this certificate. */
export async function webServerForTest(
  answer: Answer,
  tls?: { readonly key: string; readonly cert: string },
): Promise<WebServerForTest> {
  const heads: string[] = [];
  const open = new Set<Socket>();
  const accept = (socket: Socket) => {
    let received = '';
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.on('data', (bytes) => {
      if (received.includes('\r\n\r\n')) return;
      received += bytes.toString('latin1');
      if (!received.includes('\r\n\r\n')) return;
      heads.push(received);
      answer(socket, received);
    });
  };
  const server: Server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  // A server with a port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/`,
    heads,
    isLeft: async () => {
      await waitFor(() => open.size === 0, { what: 'the client has left' });
    },
  };
}

/** Answers every request alike, with the right length, and closes the connection. */
export function answering(
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Answer {
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(body)), ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return (socket) => {
    socket.write(`HTTP/1.1 ${status} Status\r\n${head}\r\n`);
    socket.end(body);
  };
}
