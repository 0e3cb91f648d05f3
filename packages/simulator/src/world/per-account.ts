import type { Account } from './account.js';

/** What one feature holds for each account, such as its inbox. It is created when it is first asked for. */
export class PerAccount<Part> {
  readonly #create: (account: Account) => Part;
  readonly #parts = new WeakMap<Account, Part>();

  constructor(create: (account: Account) => Part) {
    this.#create = create;
  }

  /** The same part at each call for the same account. */
  of(account: Account): Part {
    const known = this.#parts.get(account);
    if (known !== undefined) return known;
    const part = this.#create(account);
    this.#parts.set(account, part);
    return part;
  }
}
