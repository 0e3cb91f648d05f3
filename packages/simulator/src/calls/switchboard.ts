import type { Account } from '../world/account.js';
import { Call, type CallOptions } from './call.js';

/** The calls that have not ended. */
export class Switchboard {
  readonly #calls = new Map<string, Call>();

  /** Starts a call that rings on all linked devices of the callee. */
  place(caller: Account, callee: Account, options: CallOptions): Call {
    const call: Call = new Call(caller, callee, options, () => this.#calls.delete(call.id));
    this.#calls.set(call.id, call);
    return call;
  }

  /** The call with this id; undefined once it has ended. */
  find(id: string): Call | undefined {
    return this.#calls.get(id);
  }
}
