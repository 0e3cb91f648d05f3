import type { RegisteringClient } from '../login/registering-client.js';
import { IqError } from '../protocol/iq-error.js';
import type { Account, Device } from '../world/account.js';
import { PerAccount } from '../world/per-account.js';
import { AccountPasskey } from './account-passkey.js';
import { NoPasskeyCeremonyError } from './ceremony-error.js';
import { type CeremonyContext, PasskeyCeremony } from './passkey-ceremony.js';

/** How long a person waits for the phone to show the confirmation code. */
const patienceMs = 20_000;

/** Links clients to accounts, those whose phone demands a passkey by a ceremony. */
export class PasskeyLinks {
  readonly #context: CeremonyContext;
  readonly #accounts = new PerAccount(() => new AccountPasskey());
  readonly #ceremonies = new WeakMap<RegisteringClient, PasskeyCeremony>();

  constructor(context: CeremonyContext) {
    this.#context = context;
  }

  /** The passkey of an account. */
  of(account: Account): AccountPasskey {
    return this.#accounts.of(account);
  }

  /**
   * Links a client whose code the phone has read. Ends the ceremony that the client or the phone was in.
   * @throws PasskeyCeremonyError if the ceremony has failed. Rejects also if the client goes away or refuses.
   */
  async link(phone: Account, client: RegisteringClient, advSecret: Uint8Array): Promise<Device> {
    const owner = this.of(phone);
    owner.ceremony?.end('replaced');
    this.#ceremonies.get(client)?.end('replaced');
    this.#ceremonies.delete(client);
    const { demand } = owner;
    if (!demand) return await client.pair(phone, advSecret);
    const ceremony = new PasskeyCeremony(this.#context, { phone, client, owner, demand, advSecret });
    owner.ceremony = ceremony;
    this.#ceremonies.set(client, ceremony);
    return await ceremony.run();
  }

  /**
   * The ceremony that the server has begun with a client.
   * @throws IqError 405 if there is none.
   */
  ceremonyOf(client: RegisteringClient): PasskeyCeremony {
    const ceremony = this.#ceremonies.get(client);
    if (!ceremony || ceremony.isDead) throw new IqError(405, 'not-allowed');
    return ceremony;
  }

  /**
   * The ceremony that a phone takes part in.
   * @throws NoPasskeyCeremonyError if there is none, or it is over.
   */
  underWay(phone: Account): PasskeyCeremony {
    const { ceremony } = this.of(phone);
    if (!ceremony || ceremony.stage === 'linked' || ceremony.stage === 'failed') {
      throw new NoPasskeyCeremonyError(`No passkey ceremony of ${phone.number} is under way`);
    }
    return ceremony;
  }

  /** See `PasskeyCeremony.accept`. Rejects with `NoPasskeyCeremonyError` if none is under way. */
  async accept(phone: Account, code: string): Promise<void> {
    await this.underWay(phone).accept(code, patienceMs);
  }
}
