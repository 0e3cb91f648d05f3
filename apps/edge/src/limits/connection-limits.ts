import type { IncomingMessage } from 'node:http';
import type { Logger } from '@wafleet/runtime';
import type { SocketCounts, TenantLimitTable, WrongGuesses } from '@wafleet/store';
import type { Identity } from '../access/identity.js';
import type { ClientAddresses } from './client-address.js';
import { BURST_S, type ClientLimits, type Limit } from './client-limits.js';
import { HandshakeLimits } from './handshake-limits.js';
import { SocketQuota } from './socket-quota.js';

interface ConnectionLimitsOptions {
  readonly limits: ClientLimits;
  readonly addresses: ClientAddresses;
  readonly counts: SocketCounts;
  readonly guesses: WrongGuesses;
  /** How many connections a tenant may have. */
  readonly tenants: Pick<TenantLimitTable, 'get'>;
  readonly onExceeded: (limit: Limit) => void;
  readonly logger: Logger;
}

/** Bounds the connections of clients to this edge, those of API keys and tenants to all edges, and wrong keys. */
export class ConnectionLimits {
  readonly #addresses: ClientAddresses;
  readonly #handshakes: HandshakeLimits;
  readonly #quota: SocketQuota;

  constructor({ limits, addresses, counts, guesses, tenants, onExceeded, logger }: ConnectionLimitsOptions) {
    this.#addresses = addresses;
    this.#handshakes = new HandshakeLimits({
      perAddress: rateOf(limits.handshakesPerAddress),
      perKey: rateOf(limits.handshakesPerKey),
      ...{ guesses, onExceeded, logger },
    });
    this.#quota = new SocketQuota({
      ...{ counts, tenants, onExceeded, logger },
      perKey: limits.socketsPerKey,
    });
  }

  start(): Promise<void> {
    return this.#quota.start();
  }

  /** See ClientAddresses. Call it while the request's connection is there. */
  addressOf(request: IncomingMessage): string {
    return this.#addresses.of(request);
  }

  /**
   * Counts the start of a handshake.
   * @throws {WafleetError} TOO_MANY_HANDSHAKES
   */
  begin(address: string): void {
    this.#handshakes.fromAddress(address);
  }

  /** Counts a handshake with an invalid key. */
  wrongKey(address: string): void {
    this.#handshakes.wrongKey(address);
  }

  /**
   * Call it before looking up a request's key that is not known to be valid.
   * @throws {WafleetError} RATE_LIMITED
   */
  checkRequest(address: string): void {
    this.#handshakes.checkRequest(address);
  }

  /** Counts a request with an invalid key. */
  wrongKeyOfRequest(address: string): void {
    this.#handshakes.wrongKeyOfRequest(address);
  }

  /**
   * Counts a connection with a valid key until the returned function is called.
   * @throws {WafleetError} TOO_MANY_HANDSHAKES, TOO_MANY_CONNECTIONS
   */
  async admit(identity: Pick<Identity, 'keyId' | 'tenantId'>): Promise<() => void> {
    this.#handshakes.withKey(identity.keyId);
    return this.#quota.admit(identity);
  }

  /** Call it when the connections are closed. */
  close(): Promise<void> {
    return this.#quota.close();
  }
}

function rateOf(perSecond: number) {
  return { perSecond, burst: perSecond * BURST_S };
}
