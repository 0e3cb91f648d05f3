import { isIPv6, type Socket } from 'node:net';

/** What a client of a proxy asks for, and the proxy's answers. */
export interface TunnelRequest {
  /** `host:port`, as the client wrote it. */
  readonly target: string;
  accept(): void;
  /** @param status what an HTTP proxy would answer with. */
  refuse(status: number): void;
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Reads an HTTP CONNECT. Resolves to undefined if it was refused because of the credentials. */
export async function readConnectRequest(
  client: Socket,
  credentials: Credentials | undefined,
): Promise<TunnelRequest | undefined> {
  let head = '';
  while (!head.includes('\r\n\r\n')) head += (await read(client, 1)).toString('latin1');
  const target = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head)?.[1];
  if (target === undefined) throw new Error('not a CONNECT request');
  const refuse = (status: number) =>
    client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsorry\n`);
  const given = /^proxy-authorization: Basic (\S+)\r$/im.exec(head)?.[1] ?? '';
  const expected = credentials && `${credentials.username}:${credentials.password}`;
  if (expected !== undefined && Buffer.from(given, 'base64').toString() !== expected) {
    refuse(407);
    return undefined;
  }
  return { target, refuse, accept: () => client.write('HTTP/1.1 200 Connection established\r\n\r\n') };
}

const NO_AUTHENTICATION = 0;
const PASSWORD = 2;
const NO_METHOD = 255;

/** Reads the greeting, the credentials and the request of SOCKS5. As `readConnectRequest` otherwise. */
export async function readSocksRequest(
  client: Socket,
  credentials: Credentials | undefined,
): Promise<TunnelRequest | undefined> {
  const [, methodCount = 0] = await read(client, 2);
  const methods = await read(client, methodCount);
  const method = credentials === undefined ? NO_AUTHENTICATION : PASSWORD;
  if (!methods.includes(method)) {
    client.end(Buffer.of(5, NO_METHOD));
    return undefined;
  }
  client.write(Buffer.of(5, method));
  if (credentials !== undefined) {
    await read(client, 1);
    const username = await readText(client);
    const password = await readText(client);
    if (username !== credentials.username || password !== credentials.password) {
      client.end(Buffer.of(1, 1));
      return undefined;
    }
    client.write(Buffer.of(1, 0));
  }
  const [, , , kind] = await read(client, 4);
  const host = await readHost(client, kind);
  const port = (await read(client, 2)).readUInt16BE();
  const answer = (reply: number) => Buffer.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0);
  return {
    target: `${isIPv6(host) ? `[${host}]` : host}:${port}`,
    accept: () => client.write(answer(0)),
    refuse: (status) => client.end(answer(status === 403 ? 2 : 5)),
  };
}

async function readHost(client: Socket, kind: number | undefined): Promise<string> {
  if (kind === 1) return (await read(client, 4)).join('.');
  if (kind === 3) return readText(client);
  const groups = (await read(client, 16)).toString('hex').match(/.{4}/g) ?? [];
  return groups.join(':');
}

async function readText(client: Socket): Promise<string> {
  const [length = 0] = await read(client, 1);
  return (await read(client, length)).toString();
}

/** Reads exactly this number of bytes. Rejects if the connection ends before. */
async function read(client: Socket, length: number): Promise<Buffer> {
  for (;;) {
    if (length === 0) return Buffer.alloc(0);
    const bytes: unknown = client.read(length);
    if (Buffer.isBuffer(bytes) && bytes.length === length) return bytes;
    if (client.destroyed || client.readableEnded) throw new Error('the client has gone');
    await new Promise<void>((resolve) => {
      const wake = () => {
        for (const event of ['readable', 'close', 'end']) client.removeListener(event, wake);
        resolve();
      };
      for (const event of ['readable', 'close', 'end']) client.once(event, wake);
    });
  }
}
