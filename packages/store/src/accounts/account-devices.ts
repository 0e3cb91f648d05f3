import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';

/** How long an import that reserved a device may take to create its session. */
const RESERVED_MS = 60_000;
const ATTEMPTS = 3;

/** A session that has a device, or is about to. */
export interface DeviceHolder extends SessionRef {
  /** The id of the call that created it: a later session with its id has another one. '' if it is not known. */
  readonly madeBy: string;
}

type Reserved = { readonly by: string; readonly heldMs: number } | undefined;

const reserveDevice = new Script('accounts/reserve-device', (reply): Reserved => {
  const [isNoted, by, heldMs] = asList(reply);
  return asNumber(isNoted) === 1 ? undefined : { by: asText(by), heldMs: asNumber(heldMs) };
});
const releaseDevice = new Script('accounts/release-device', asNumber);

/**
 * Which session, of any tenant, has a device of an account. Two sessions with the same device would disconnect each
 * other and make messages unreadable.
 *
 * The directory entry of the session says which device it has. The notes here lead to it: they are in other slots of a
 * Redis Cluster than the entries, so no script can change both. A note that is out of date therefore does no harm: it
 * counts only if the entry of its session names the device, or if an import has reserved the device a moment ago.
 */
export class AccountDevices {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Reserves a device for a session that is about to be created, for a minute. Of several concurrent calls for
   * different sessions, one succeeds.
   * @param device as `linkedDevice` names it.
   * @returns false if another session has the device, or another import has reserved it.
   */
  reserve(device: string, holder: DeviceHolder): Promise<boolean> {
    return this.#note(device, holder, RESERVED_MS);
  }

  /** Notes that a session has a device, as its entry says. Leaves a note of another session that has it. */
  async note(device: string, holder: DeviceHolder): Promise<void> {
    await this.#note(device, holder, 0);
  }

  /**
   * Removes the note of a session that does not have the device any more. May come late: the note of a later session
   * with the same id stays.
   */
  async release(device: string, holder: DeviceHolder): Promise<void> {
    await this.#release(device, holder, '');
  }

  /**
   * Ends a reservation whose session was not created. If a session with its id has the device, because the call was
   * repeated, the note is of that session again, so that its removal releases it.
   */
  async giveBack(device: string, holder: DeviceHolder): Promise<void> {
    const [had, madeBy] = await this.#redis.hmget(keys.session(holder), 'device', 'madeBy');
    // The entry of an earlier release does not say by which call it was made. Its session keeps the device in any case.
    if (had === device && !madeBy) return;
    await this.#release(device, holder, had === device ? (madeBy ?? '') : '');
  }

  async #release(device: string, holder: DeviceHolder, keptBy: string): Promise<void> {
    const args = [nameOf(holder), holder.madeBy, keptBy];
    await releaseDevice.run(this.#redis, [keys.account(device)], args);
  }

  async #note(device: string, holder: DeviceHolder, holdMs: number): Promise<boolean> {
    let outdated = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const args = [nameOf(holder), holdMs, outdated, holder.madeBy];
      const reserved = await reserveDevice.run(this.#redis, [keys.account(device)], args);
      if (reserved === undefined) return true;
      if (reserved.heldMs > 0 || (await this.#has(reserved.by, device))) return false;
      outdated = reserved.by;
    }
    return false;
  }

  async #has(name: string, device: string): Promise<boolean> {
    const [tenantId = '', sessionId = ''] = name.split('/');
    try {
      return (await this.#redis.hget(keys.session({ tenantId, sessionId }), 'device')) === device;
    } catch (error) {
      // An entry of another type is of no session that could be opened. Anything else leaves it unknown.
      if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return false;
      throw error;
    }
  }
}

function nameOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}
