import type { SocketConfig } from '@whiskeysockets/baileys';

type MakeSignalRepository = SocketConfig['makeSignalRepository'];

/** A map that may evict entries. */
interface Kept {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  clear(): void;
}

/** A LID and a phone number of the same person, each as an id without a device. */
export interface LearntPair {
  readonly lid: string;
  readonly pn: string;
}

const REVERSE = '_reverse';

/** The pairs that are about to be stored: Baileys writes each of them in both directions. */
function pairsIn(stored: Readonly<Record<string, unknown>>): LearntPair[] {
  return Object.entries(stored).flatMap(([pn, lid]) =>
    pn.endsWith(REVERSE) || typeof lid !== 'string'
      ? []
      : [{ lid: `${lid}@lid`, pn: `${pn}@s.whatsapp.net` }],
  );
}

/**
 * Makes a repository use an external map of phone numbers and LIDs (Signal/lid-mapping.js). On its own it keeps each
 * pair that it ever met for three days, at 0.8 KB and two timers per pair: all contacts of the history. Also reports
 * which pairs are stored for the first time, which Baileys does not emit.
 *
 * Removal condition: Baileys takes the map as an option, as it takes its other caches (docs/upstream.md, 9), and emits
 * pairs that it stores for the first time (17).
 */
export function withSharedLidMappings(
  make: MakeSignalRepository,
  kept: Kept,
  onLearnt: (pairs: readonly LearntPair[]) => void = () => {},
): MakeSignalRepository {
  return (auth, ...rest) => {
    const repository = make(auth, ...rest);
    const { lidMapping } = repository;
    const { keys } = auth;
    const observed: typeof keys = {
      ...keys,
      set: async (data) => {
        await keys.set(data);
        const learnt = pairsIn(data['lid-mapping'] ?? {});
        if (learnt.length > 0) onLearnt(learnt);
      },
    };
    Object.assign(lidMapping, { mappingCache: kept, keys: observed });
    return repository;
  };
}
