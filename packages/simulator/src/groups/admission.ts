import { randomBytes } from 'node:crypto';
import { unixSeconds } from '../unix-seconds.js';
import type { Account } from '../world/account.js';
import { GroupError } from './group-error.js';

const INVITATION_SECONDS = 3 * 86_400;

/** Whom others may add to a group, and who may join it by an invitation of their own. */
export class Admission<Person extends Account> {
  /** People who left by themselves: others cannot add them again. */
  readonly #left = new Set<Person>();
  readonly #invited = new Map<string, Person>();

  left(person: Person): void {
    this.#left.add(person);
  }

  joined(person: Person): void {
    this.#left.delete(person);
  }

  /** @throws GroupError 408 if the person left; 403 with an `<add_request>` if the person has to be invited. */
  requireAddable(person: Person): void {
    if (this.#left.has(person)) throw new GroupError(408, 'request-timeout');
    if (person.letsOthersAdd) return;
    const code = newInviteCode();
    this.#invited.set(code, person);
    const expiration = String(unixSeconds() + INVITATION_SECONDS);
    throw new GroupError(403, 'forbidden', [{ tag: 'add_request', attrs: { code, expiration } }]);
  }

  /** Uses up an invitation for this person alone. @throws GroupError 406 if there is none of this code. */
  useInvitation(person: Person, code: string): void {
    if (this.#invited.get(code) !== person) throw new GroupError(406, 'not-acceptable');
    this.#invited.delete(code);
  }
}

export function newInviteCode(): string {
  return randomBytes(8).toString('hex');
}
