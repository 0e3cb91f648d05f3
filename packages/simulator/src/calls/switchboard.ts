import type { Account } from '../world/account.js';
import { Call, type CallOptions, type CallState } from './call.js';

/** How many calls that have ended are remembered. */
const kept = 1000;

/** The calls that have not ended, and how the last 1000 others did. */
export class Switchboard {
  readonly #calls = new Map<string, Call>();
  readonly #over = new Map<string, CallState>();

  /** Starts a call that rings on all linked devices of the callee. */
  place(caller: Account, callee: Account, options: CallOptions): Call {
    const call: Call = new Call(caller, callee, options, () => this.#end(call));
    this.#calls.set(call.id, call);
    return call;
  }

  /** The state of a call, whether it has ended or not; undefined if there was none. */
  stateOf(id: string): CallState | undefined {
    return this.#calls.get(id)?.state ?? this.#over.get(id);
  }

  /** The call with this id; undefined once it has ended. */
  find(id: string): Call | undefined {
    return this.#calls.get(id);
  }

  #end({ id, state }: Call): void {
    this.#calls.delete(id);
    this.#over.set(id, state);
    const [oldest] = this.#over.keys();
    if (this.#over.size > kept && oldest !== undefined) this.#over.delete(oldest);
  }
}
