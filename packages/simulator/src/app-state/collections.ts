import type { WAPatchName } from '@whiskeysockets/baileys';

/** A patch is based on a version that is not the collection's current one. */
export class AppStateConflictError extends Error {
  override readonly name = 'AppStateConflictError';

  constructor(collection: WAPatchName, expected: number, actual: number) {
    super(`Patch on version ${expected} of ${collection}, which is at version ${actual}`);
  }
}

/**
 * The server's store of one account's app-state: per collection the patches in the order they were accepted.
 * Patch n lifts a collection from version n-1 to n. The server cannot read them: they are sealed under keys that only
 * the account's devices hold.
 */
export class AppStateCollections {
  readonly #patches = new Map<WAPatchName, Uint8Array[]>();

  /** Version of a collection; 0 before its first patch. */
  version(collection: WAPatchName): number {
    return this.#patches.get(collection)?.length ?? 0;
  }

  /** Encoded `SyncdPatch`es after `version`, oldest first. */
  patchesSince(collection: WAPatchName, version: number): readonly Uint8Array[] {
    return this.#patches.get(collection)?.slice(version) ?? [];
  }

  /** @throws AppStateConflictError unless the collection is at `version`. */
  requireVersion(collection: WAPatchName, version: number): void {
    const actual = this.version(collection);
    if (version !== actual) {
      throw new AppStateConflictError(collection, version, actual);
    }
  }

  /**
   * Appends a patch and returns the collection's new version.
   * @param onTopOf the version that the author's patch is based on.
   * @throws AppStateConflictError if another device appended a patch first.
   */
  append(collection: WAPatchName, patch: Uint8Array, onTopOf: number): number {
    this.requireVersion(collection, onTopOf);
    const patches = this.#patches.get(collection) ?? [];
    patches.push(patch);
    this.#patches.set(collection, patches);
    return patches.length;
  }
}
