import asyncHooks, { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';

/** Marks that a storage has a store in a context. Only the storage knows the store itself. */
interface Entry {
  readonly storage: WeakRef<object>;
}

/** The original class. `withSharedAsyncStorage` changes what the module exports; this reference stays. */
const OwnOfNode = AsyncLocalStorage;

/** The only storage that Node.js sees. */
const contexts = new OwnOfNode<readonly Entry[]>();

/**
 * An AsyncLocalStorage whose existence costs nothing: all instances share one of Node.js' own.
 *
 * Before Node.js 24 each promise and timer of a process gets a property from every instance that was ever run. Each
 * socket of Baileys has an instance for its transactions, so each socket makes all the others slower.
 *
 * A context keeps small entries, not stores: a store lives as long as its storage *and* a context that was created in
 * it. A context has at most one entry per storage, and does not pass on the entries of storages that are gone.
 *
 * Removal condition: the oldest supported Node.js is 24 or newer, or Baileys has one storage for all sockets
 * (docs/upstream.md, 1).
 */
export class SharedAsyncStorage<T> extends OwnOfNode<T> {
  readonly #self = new WeakRef<object>(this);
  #stores = new WeakMap<Entry, T>();

  override getStore(): T | undefined {
    const entry = contexts.getStore()?.find((candidate) => candidate.storage === this.#self);
    return entry === undefined ? undefined : this.#stores.get(entry);
  }

  override run<R, Args extends unknown[]>(store: T, callback: (...args: Args) => R, ...args: Args): R {
    return contexts.run(this.#contextWith(store), callback, ...args);
  }

  override exit<R, Args extends unknown[]>(callback: (...args: Args) => R, ...args: Args): R {
    return contexts.run(this.#entriesOfOthers(), callback, ...args);
  }

  override enterWith(store: T): void {
    contexts.enterWith(this.#contextWith(store));
  }

  /**
   * Existing contexts stay without a store, whatever is run later. Node.js' own storage would find their stores again.
   */
  override disable(): void {
    this.#stores = new WeakMap();
  }

  #contextWith(store: T): readonly Entry[] {
    const entry: Entry = { storage: this.#self };
    this.#stores.set(entry, store);
    return [...this.#entriesOfOthers(), entry];
  }

  #entriesOfOthers(): readonly Entry[] {
    const entries = contexts.getStore() ?? [];
    return entries.filter(({ storage }) => storage !== this.#self && storage.deref() !== undefined);
  }
}

/** Whether each asynchronous resource gets a property from every AsyncLocalStorage, as before Node.js 24. */
function storesAreCopied(): boolean {
  const countMarks = () => Object.getOwnPropertySymbols(new AsyncResource('probe')).length;
  const before = countMarks();
  const probe = new OwnOfNode<true>();
  const during = probe.run(true, countMarks);
  probe.disable();
  return during > before;
}

/** The property of the module: a value, or since Node.js 22.23 a getter without a setter. */
const ofNode = Object.getOwnPropertyDescriptor(asyncHooks, 'AsyncLocalStorage');

/**
 * Undefined if Node.js makes no copies, or if its storage cannot be replaced. Sockets work in the second case, and cost
 * more.
 */
const replaced = ofNode?.configurable === true && storesAreCopied() ? ofNode : undefined;

/**
 * Runs `work`, which must be synchronous. Every AsyncLocalStorage that is created in it, by ECMAScript modules that
 * import the class by its name, is a shared one. All other code gets the class of Node.js; so does Baileys if Node.js
 * makes no copies.
 */
export function withSharedAsyncStorage<R>(work: () => R): R {
  if (replaced === undefined) return work();
  const use = (property: PropertyDescriptor) => {
    Object.defineProperty(asyncHooks, 'AsyncLocalStorage', property);
    syncBuiltinESMExports();
  };
  use({ value: SharedAsyncStorage, writable: true, enumerable: true, configurable: true });
  try {
    return work();
  } finally {
    use(replaced);
  }
}
