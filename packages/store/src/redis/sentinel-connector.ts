import { connect as connectTcp, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { RedisSentinelAddress } from '@wafleet/runtime';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import { type HostAndPort, Sentinels } from './sentinels.js';

type ErrorEmitter = Parameters<AbstractConnector['connect']>[0];

const DISCONNECT_TIMEOUT_MS = 2_000;
/**
 * A primary that hangs still accepts connections, since its kernel does. This is shorter than a command's timeout, so
 * that the error can name the reason.
 */
const HANDSHAKE_TIMEOUT_MS = 4_000;

/**
 * Options that make an ioredis connection, and every duplicate of it, connect to the primary that the sentinels report.
 *
 * Each attempt asks the sentinels again. A failed attempt ends like a broken connection, so that the connection's own
 * retryStrategy and limits apply to every kind of failure. If the sentinels switch to another primary, an open
 * connection breaks at once: the old primary may be cut off rather than dead and continue to accept writes that are
 * then lost, or it may hang without closing the connection.
 */
export function sentinelOptions(
  address: RedisSentinelAddress,
  name: string,
): Pick<RedisOptions, 'Connector' | 'db' | 'enableReadyCheck' | 'password' | 'tls' | 'username'> {
  return {
    Connector: class extends SentinelConnector {
      constructor() {
        super(address, name);
      }
    },
    // In this check the server reports whether it is the primary.
    enableReadyCheck: true,
    db: address.database,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
  };
}

class SentinelConnector extends AbstractConnector {
  readonly #address: RedisSentinelAddress;
  readonly #name: string;
  #sentinels: Sentinels | undefined;
  #handshake: NodeJS.Timeout | undefined;
  #refuse: (reason: string) => void = () => {};

  constructor(address: RedisSentinelAddress, name: string) {
    super(DISCONNECT_TIMEOUT_MS);
    this.#address = address;
    this.#name = name;
  }

  override async connect(emit: ErrorEmitter): Promise<Socket> {
    this.connecting = true;
    delete this.firstError;
    let switchedTo: HostAndPort | undefined;
    let leave = () => {};
    const sentinels = new Sentinels(this.#address, this.#name, (primary) => {
      switchedTo = primary;
      leave();
    });
    this.#sentinels = sentinels;
    try {
      const primary = await sentinels.findPrimary();
      if (!this.connecting) throw new Error('the connection is closed');
      const stream = this.#open(primary, emit);
      leave = () => {
        if (switchedTo === undefined || isSame(switchedTo, primary)) return;
        stream.destroy(new Error(`the sentinels have made ${textOf(switchedTo)} the primary`));
      };
      stream.once('close', () => sentinels.close());
      leave();
      return stream;
    } catch (error) {
      sentinels.close();
      if (this.connecting && error instanceof Error) this.firstError = error;
      return closedSocket();
    }
  }

  override check({ role }: { role?: string }): boolean {
    clearTimeout(this.#handshake);
    const isPrimary = role === undefined || role === 'master';
    if (!isPrimary) this.#refuse('is not a primary');
    return isPrimary;
  }

  override disconnect(): void {
    super.disconnect();
    this.#sentinels?.close();
  }

  #open(primary: HostAndPort, emit: ErrorEmitter): Socket {
    const { host, port } = primary;
    const stream = this.#address.tls ? connectTls({ host, port }) : connectTcp({ host, port });
    this.stream = stream;
    stream.once('error', (error) => {
      this.firstError = error;
    });
    this.#refuse = (reason) => emit('error', new Error(`${textOf(primary)} ${reason}`));
    clearTimeout(this.#handshake);
    const handshake = setTimeout(() => {
      stream.destroy(new Error(`${textOf(primary)} does not answer`));
    }, HANDSHAKE_TIMEOUT_MS);
    this.#handshake = handshake;
    stream.once('close', () => clearTimeout(handshake));
    return stream;
  }
}

function isSame(one: HostAndPort, other: HostAndPort): boolean {
  return one.host === other.host && one.port === other.port;
}

function textOf({ host, port }: HostAndPort): string {
  return `${host}:${port}`;
}

/** A socket that ioredis treats as a connection that broke immediately. */
function closedSocket(): Socket {
  return new Socket().destroy();
}
