import { setTimeout as delay } from 'node:timers/promises';
import { residentMemoryOf } from '../../harness/cpu-time.js';
import { collectGarbage } from '../../harness/inspector.js';
import { rowOf, type Scenario } from '../../harness/scenario.js';
import type { Contender } from '../contender.js';
import { Stage } from '../stage.js';

/** Memory for the first sessions, such as for code that runs for the first time, does not count. */
const FIRST = 20;
const COMPARED = 200;
const MANY = 1_000;
/** By then, Baileys' work after a login is done, and the caches of the start have been dropped. */
const SETTLE_MS = 5_000;
const KB = 1_024;

/** Open sessions that receive nothing. */
export const idleSessions: Scenario = {
  name: 'idle-sessions',
  about: `memory that an open session takes, after a garbage collection; and ${MANY} of them in one worker`,

  async run({ cores, quick }) {
    const [first, compared, many] = quick ? [3, 10, 20] : [FIRST, COMPARED, MANY];
    const settleMs = quick ? 500 : SETTLE_MS;
    const stage = await Stage.start(cores);
    try {
      const measure = async (contender: Contender) => {
        const before = await settledMemoryOf(contender, settleMs);
        await contender.add(compared);
        const after = await settledMemoryOf(contender, settleMs);
        return { before, perSession: (after - before) / compared };
      };
      const product = await stage.add('product', first);
      const ofProduct = await measure(product);
      const peer = await stage.add('peer', first);
      const ofPeer = await measure(peer);
      await peer.stop();
      await product.add(many - first - compared);
      const whole = await settledMemoryOf(product, settleMs);
      return [
        rowOf(
          { scenario: `${compared} idle sessions`, measure: 'memory, KB/session' },
          { product: [ofProduct.perSession], peer: [ofPeer.perSession] },
          (bytes) => bytes / KB,
          { peer: 0.6 },
        ),
        rowOf(
          { scenario: `${many} idle sessions`, measure: 'memory, KB/session' },
          { product: [(whole - ofProduct.before) / (many - first)] },
          (bytes) => bytes / KB,
        ),
        rowOf(
          { scenario: `${many} idle sessions`, measure: 'memory of the worker, MB' },
          { product: [whole] },
          (bytes) => bytes / KB / KB,
        ),
      ];
    } finally {
      await stage.stop();
    }
  },
};

/** Resident memory, in bytes. */
async function settledMemoryOf({ pid, inspectorPort }: Contender, settleMs: number): Promise<number> {
  await collectGarbage(inspectorPort);
  await delay(settleMs);
  await collectGarbage(inspectorPort);
  return residentMemoryOf(pid);
}
