import type { IncomingMessage } from 'node:http';
import type { Logger } from '@wafleet/runtime';
import type { SocketCounts, TenantLimitTable, WrongGuesses } from '@wafleet/store';
import type { Identity } from '../auth/identity.js';
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

/** Bounds the connections that clients make to this edge, those that API keys and tenants have to all edges, and wrong
 * keys. */
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

  /** See ClientAddresses. To be asked while the request's connection is there. */
  addressOf(request: IncomingMessage): string {
    return this.#addresses.of(request);
  }

  /**
   * Counts a handshake that begins.
   * @throws {WafleetError} TOO_MANY_HANDSHAKES
   */
  begin(address: string): void {
    this.#handshakes.fromAddress(address);
  }

  /** A handshake had a key that is not valid. */
  wrongKey(address: string): void {
    this.#handshakes.wrongKey(address);
  }

  /**
   * To be asked before a request's key is looked up that is not known to be right.
   * @throws {WafleetError} RATE_LIMITED
   */
  checkRequest(address: string): void {
    this.#handshakes.checkRequest(address);
  }

  /** A request had a key that is not valid. */
  wrongKeyOfRequest(address: string): void {
    this.#handshakes.wrongKeyOfRequest(address);
  }

  /**
   * Counts a connection with a valid key, until the function that is returned is called.
   * @throws {WafleetError} TOO_MANY_HANDSHAKES, TOO_MANY_CONNECTIONS
   */
  async admit(identity: Pick<Identity, 'keyId' | 'tenantId'>): Promise<() => void> {
    this.#handshakes.withKey(identity.keyId);
    return this.#quota.admit(identity);
  }

  /** Its connections are closed. */
  close(): Promise<void> {
    return this.#quota.close();
  }
}

function rateOf(perSecond: number) {
  return { perSecond, burst: perSecond * BURST_S };
}
