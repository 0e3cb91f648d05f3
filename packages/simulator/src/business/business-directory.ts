import type { Account } from '../world/account.js';
import { BusinessAccount, type CustomerOrder } from './business-account.js';

/** The accounts that are those of a business. */
export class BusinessDirectory {
  readonly #accounts = new Map<Account, BusinessAccount>();

  /** Makes an account one of a business. */
  open(account: Account): BusinessAccount {
    const business = this.#accounts.get(account) ?? new BusinessAccount();
    this.#accounts.set(account, business);
    return business;
  }

  of(account: Account | undefined): BusinessAccount | undefined {
    return account === undefined ? undefined : this.#accounts.get(account);
  }

  order(id: string): CustomerOrder | undefined {
    return [...this.#accounts.values()].flatMap(({ orders }) => orders).find((order) => order.id === id);
  }
}
