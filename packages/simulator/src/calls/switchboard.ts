import type { Phone } from '../world/phone.js';
import { Call, type CallOptions } from './call.js';

/** The calls that are not over yet. */
export class Switchboard {
  readonly #calls = new Map<string, Call>();

  /** Rings on all linked devices of the person called. */
  place(caller: Phone, callee: Phone, options: CallOptions): Call {
    const call: Call = new Call(caller, callee, options, () => this.#calls.delete(call.id));
    this.#calls.set(call.id, call);
    return call;
  }

  /** The call with this id, until it is over. */
  find(id: string): Call | undefined {
    return this.#calls.get(id);
  }
}
