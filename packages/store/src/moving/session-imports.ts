import { WafleetError } from '@wafleet/contract';
import { AccountDevices, type DeviceHolder } from '../accounts/account-devices.js';
import { linkedDevice } from '../accounts/linked-device.js';
import { type ImportedCredentials, sealImport } from '../auth/imported-credentials.js';
import { isCredentials } from '../auth/signal-records.js';
import { readWorkerBoxKey } from '../auth/worker-box-key.js';
import type { RedisConnection } from '../redis/connection.js';
import type { SessionRef } from '../redis/session-ref.js';
import {
  type NewSessionOptions,
  newCreationId,
  type SessionDirectory,
} from '../sessions/session-directory.js';
import type { SessionRecord } from '../sessions/session-entry.js';

/** How long a reserved device may wait for its session. The reservation itself holds twice as long. */
const CREATED_WITHIN_MS = 30_000;

/** A session that was linked elsewhere. The halves of its keys belong together: see `linkedDevice`. */
export interface ImportedSession extends ImportedCredentials {
  /** The account's number, digits only. */
  readonly phone: string;
  /** `<number>:<device>` */
  readonly device: string;
}

/** Creates sessions together with credentials from elsewhere. */
export class SessionImports {
  readonly #redis: RedisConnection;
  readonly #devices: AccountDevices;
  readonly #directory: SessionDirectory;

  constructor({ redis, directory }: { redis: RedisConnection; directory: SessionDirectory }) {
    this.#redis = redis;
    this.#devices = new AccountDevices(redis);
    this.#directory = directory;
  }

  /**
   * Creates a session with its credentials in one step, and queues it for a worker. If it rejects with anything but
   * OUTCOME_UNKNOWN, nothing is stored. Of several imports of one device, in any tenants, one succeeds.
   * @throws {WafleetError} ACCOUNT_IN_USE; UNAVAILABLE if no worker has started yet; those of
   * `SessionDirectory.create`.
   */
  async create(
    ref: SessionRef,
    session: ImportedSession,
    options: NewSessionOptions = {},
  ): Promise<SessionRecord> {
    const { phone, creds } = session;
    if (!isCredentials(creds)) throw new TypeError('not the credentials of a linked session');
    const device = linkedDevice(session.device, creds);
    const box = await sealImport(await readWorkerBoxKey(this.#redis), ref, session);
    const holder = { ...ref, madeBy: newCreationId() };
    const startedAt = performance.now();
    if (!(await this.#devices.reserve(device, holder))) {
      throw new WafleetError(
        'ACCOUNT_IN_USE',
        'A session of this cluster has this device of the account, and may be closed. Remove that session first.',
      );
    }
    try {
      if (performance.now() - startedAt > CREATED_WITHIN_MS) {
        throw new WafleetError('UNAVAILABLE', 'Redis answered too late.');
      }
      const linked = { phone, device, madeBy: holder.madeBy, box };
      return await this.#directory.create(ref, { ...options, linked });
    } catch (error) {
      // Without an answer the session may exist. The reservation then ends by itself, or the session has the device.
      if (!isUnknown(error)) await this.#giveBack(device, holder);
      throw error;
    }
  }

  /** Never rejects: a reservation that stays ends by itself. */
  async #giveBack(device: string, holder: DeviceHolder): Promise<void> {
    try {
      await this.#devices.giveBack(device, holder);
    } catch {
      // Redis is out of reach.
    }
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof WafleetError && error.code === 'OUTCOME_UNKNOWN';
}
