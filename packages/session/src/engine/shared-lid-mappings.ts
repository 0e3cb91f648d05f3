import type { SocketConfig } from '@whiskeysockets/baileys';

type MakeSignalRepository = SocketConfig['makeSignalRepository'];

/** A map whose entries may leave. */
interface Kept {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  clear(): void;
}

/**
 * A repository that remembers elsewhere which phone number has which LID (Signal/lid-mapping.js). By itself it keeps
 * each pair that it ever met for three days, 0.8 KB and two timers a pair: all contacts of the history.
 * @throws {Error} when the repository is not that of the release of Baileys that this was written for.
 */
export function withSharedLidMappings(make: MakeSignalRepository, kept: Kept): MakeSignalRepository {
  return (...args) => {
    const repository = make(...args);
    if (!Object.hasOwn(repository.lidMapping, 'mappingCache')) {
      throw new Error('Baileys does not keep LIDs as this release is known to');
    }
    Object.assign(repository.lidMapping, { mappingCache: kept });
    return repository;
  };
}
