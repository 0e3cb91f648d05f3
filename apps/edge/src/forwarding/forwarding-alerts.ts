import type { Logger } from '@wafleet/runtime';
import { EDGE_LIFE_MS } from '@wafleet/store';
import { LRUCache } from 'lru-cache';
import type { Outcome } from './forwarder.js';
import { REFUSALS, type Refusal } from './refusal.js';

/** At most one line a minute for each reason. */
const WARN_EVERY_MS = 60_000;

/**
 * Warns of refusals that an operator can fix. A killed edge is not a reason to warn: it cannot be reached, and stays
 * registered for a while only. An edge that cannot be reached and keeps registering is.
 */
export class ForwardingAlerts {
  readonly #logger: Logger;
  readonly #unreachableSince = new LRUCache<string, number>({ max: 1_000 });
  readonly #warned = new LRUCache<Refusal, true>({ max: 10, ttl: WARN_EVERY_MS });

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(owner: string, outcome: Outcome): void {
    if (outcome === 'unconfigured') this.#warn(owner, outcome);
    if (outcome !== 'unreachable') {
      this.#unreachableSince.delete(owner);
      return;
    }
    const since = this.#unreachableSince.get(owner);
    if (since === undefined) this.#unreachableSince.set(owner, Date.now());
    else if (Date.now() - since > EDGE_LIFE_MS) this.#warn(owner, outcome);
  }

  #warn(owner: string, refusal: Refusal): void {
    if (this.#warned.has(refusal)) return;
    this.#warned.set(refusal, true);
    this.#logger.warn({ owner }, REFUSALS[refusal]);
  }
}
