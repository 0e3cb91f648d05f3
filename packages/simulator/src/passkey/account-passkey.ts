import type { PasskeyDemand } from './demand.js';
import { Passkey } from './passkey.js';
import type { PasskeyCeremony, PasskeyOwner } from './passkey-ceremony.js';
import type { StoredCredential } from './verify-assertion.js';

/** The passkey of one account, whether its phone demands it, and the ceremony that this has led to. */
export class AccountPasskey implements PasskeyOwner {
  #passkey: Passkey | undefined;
  #demand: PasskeyDemand | undefined;
  /** Whether WhatsApp is open on the phone's screen. If it is not, the phone ignores handoff proofs. */
  isForeground = true;
  /** The last ceremony, under way or over. */
  ceremony: PasskeyCeremony | undefined;

  /** Undefined until it is demanded for the first time, or if the account has none. */
  get passkey(): Passkey | undefined {
    return this.#passkey;
  }

  /** The same, as the server knows it. */
  get credential(): StoredCredential | undefined {
    return this.#passkey;
  }

  get demand(): PasskeyDemand | undefined {
    return this.#demand;
  }

  /** From the next scan or pairing code on. The account keeps the passkey that it has. */
  require(demand: PasskeyDemand): void {
    this.#demand = demand;
    if (demand.hasPasskey === false) this.#passkey = undefined;
    else this.#passkey ??= new Passkey();
  }

  /** From the next scan or pairing code on, the phone links clients without a passkey. */
  waive(): void {
    this.#demand = undefined;
  }
}
