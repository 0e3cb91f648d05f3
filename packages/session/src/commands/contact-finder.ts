import { type ContactIds, WafleetError } from '@wafleet/contract';
import type { WASocket } from '@whiskeysockets/baileys';
import type { People } from '../identity/people.js';
import { type PersonId, personId, userOf } from '../identity/person-id.js';
import { checkNumbers } from './check-numbers.js';

/** The ids of a person as WhatsApp writes them. At least one is known. */
export interface FoundContact {
  readonly numberId: string | undefined;
  readonly lid: string | undefined;
}

/** Finds the people whom clients name, by phone number or by id. */
export class ContactFinder {
  readonly #people: People;

  constructor(people: People) {
    this.#people = people;
  }

  /**
   * Both ids of a person. For a number whose LID the session does not know it asks WhatsApp. What WhatsApp answers is
   * remembered for a while and not stored: a tenant may ask for any number of strangers.
   * @param contact a phone number with its country code, or the id of a person.
   * @throws {WafleetError} RECIPIENT_NOT_FOUND if a number is not on WhatsApp; as `checkNumbers` does.
   */
  async find(socket: WASocket, contact: string): Promise<FoundContact> {
    const id = toPersonId(contact);
    const [known] = await this.#pairs([id]);
    if (known !== undefined || id.kind === 'lid') return toFound(id, known);
    const checked = (await checkNumbers(socket, [id.user])).get(id.user);
    if (checked?.id === undefined) throw notFound(contact);
    this.#people.note({ id: checked.id, lid: checked.lid });
    return { numberId: checked.id, lid: checked.lid };
  }

  /**
   * The id by which phones file the chat of a person or a group, and what belongs to it: the LID of a person, where it
   * is known.
   * @throws as `find`.
   */
  async findChat(socket: WASocket, chat: string): Promise<string> {
    if (chat.endsWith('@g.us')) return chat;
    const { lid, numberId } = await this.find(socket, chat);
    return lid ?? numberId ?? chat;
  }

  /** The ids of people, as clients see them, from what the session knows. */
  async idsOf(jids: readonly string[]): Promise<ContactIds[]> {
    const people = jids.map(toPersonId);
    const others = await this.#pairs(people);
    return people.map((id, index) => toContactIds(toFound(id, others[index])));
  }

  /** Notes what WhatsApp says of a person. */
  note(person: { readonly id: string; readonly lid?: string }): void {
    this.#people.note(person);
  }

  async #pairs(ids: readonly PersonId[]): Promise<(string | undefined)[]> {
    const missing = ids.filter((id) => this.#people.needsLoading(id));
    if (missing.length > 0) await this.#people.load(missing);
    return ids.map((id) => this.#people.otherId(id));
  }
}

/** The ids of a person as clients see them. */
export function toContactIds({ numberId, lid }: FoundContact): ContactIds {
  return { phone: (numberId && userOf(numberId)) ?? null, lid: lid ?? null };
}

function toPersonId(contact: string): PersonId {
  return personId(contact) ?? { kind: 'number', user: contact.replace(/\D/g, '') };
}

function toFound({ kind, user }: PersonId, other: string | undefined): FoundContact {
  return kind === 'lid'
    ? { lid: `${user}@lid`, numberId: other }
    : { lid: other, numberId: `${user}@s.whatsapp.net` };
}

function notFound(contact: string): WafleetError {
  return new WafleetError('RECIPIENT_NOT_FOUND', `${contact} is not on WhatsApp.`);
}
