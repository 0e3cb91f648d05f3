import type { HelperLink } from '../helper-link.js';
import type { PasskeyView } from '../passkey-view.js';
import type { ApiCall } from '../relay/messages.js';
import { type CeremonyState, mergeRefresh, problemOfSigning, stateAfter } from './ceremony-state.js';
import { callRelay } from './relay-client.js';
import type { Action } from './screen.js';
import type { SignerClient } from './signer-client.js';

/** The pause between two questions to the API. */
const POLL_MS = 2_000;

/** Follows one passkey request until it ends or the person cancels. */
export class Ceremony {
  readonly #link: HelperLink;
  readonly #signer: SignerClient;
  readonly #show: (state: CeremonyState) => void;
  #state: CeremonyState = { at: 'loading' };
  #poll: ReturnType<typeof setTimeout> | undefined;
  /** Grows with each action of the person, so that the answers to earlier calls are ignored. */
  #turn = 0;

  /** @param show is called with each state, the first one at once. */
  constructor(link: HelperLink, signer: SignerClient, show: (state: CeremonyState) => void) {
    this.#link = link;
    this.#signer = signer;
    this.#show = show;
    this.#enter(this.#state);
    void this.#refresh();
  }

  /** Does what the person chose. Ignores what the state does not allow. */
  async act(action: Action): Promise<void> {
    const view = this.#state.at === 'open' && this.#state.busy === undefined ? this.#state.view : undefined;
    if (action === 'cancel') {
      // The API is not informed: there, the request expires.
      this.#signer.cancel();
      this.#takeTurn({ at: 'ended', end: 'cancelled' });
    } else if (action === 'sign' && view?.stage === 'requested') await this.#sign(view);
    else if ((action === 'confirm' || action === 'reject') && view?.stage === 'code-shown')
      await this.#send(view, { name: 'confirm', matches: action === 'confirm' });
  }

  async #sign(view: PasskeyView): Promise<void> {
    const turn = this.#takeTurn({ at: 'open', view, busy: 'signing' });
    const answer = await this.#signer.sign(view.options ?? {});
    if (turn !== this.#turn) return;
    if ('error' in answer) this.#enter({ at: 'open', view, problem: problemOfSigning(answer.error) });
    else await this.#send(view, { name: 'sign', assertion: answer.assertion });
  }

  async #send(view: PasskeyView, call: ApiCall): Promise<void> {
    const turn = this.#takeTurn({ at: 'open', view, busy: 'sending' });
    const outcome = await callRelay(this.#link, call);
    if (turn === this.#turn) this.#enter(stateAfter(call, outcome, view));
  }

  async #refresh(): Promise<void> {
    const turn = this.#turn;
    const call = { name: 'get' } as const;
    const outcome = await callRelay(this.#link, call);
    if (turn !== this.#turn) return;
    const view = this.#state.at === 'open' ? this.#state.view : undefined;
    this.#enter(mergeRefresh(this.#state, stateAfter(call, outcome, view)));
  }

  #takeTurn(state: CeremonyState): number {
    this.#turn += 1;
    this.#enter(state);
    return this.#turn;
  }

  #enter(state: CeremonyState): void {
    this.#state = state;
    clearTimeout(this.#poll);
    if (state.at !== 'ended' && !('busy' in state))
      this.#poll = setTimeout(() => void this.#refresh(), POLL_MS);
    this.#show(state);
  }
}
