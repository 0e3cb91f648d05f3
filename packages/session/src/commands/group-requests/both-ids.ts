import { isLidUser, isPnUser } from '@whiskeysockets/baileys';
import { toNumberId, userOf } from '../../identity/person-id.js';
import type { ContactFinder } from '../contact-finder.js';

/** A person of an answer, with the ids that WhatsApp named. */
interface NamedPerson {
  readonly id?: string | undefined;
  readonly lid?: string | null | undefined;
  readonly phoneNumber?: string | null | undefined;
}

/** Both ids of a person, absent where they are not known. */
interface BothIds {
  readonly lid?: string;
  readonly phoneNumber?: string;
  readonly phone?: string;
}

/** Adds the ids that WhatsApp did not name and the session knows, and the phone number as digits. Asks nothing. */
export async function withBothIds<Person extends NamedPerson>(
  { contacts }: { readonly contacts: ContactFinder },
  people: readonly Person[],
): Promise<(Omit<Person, 'lid' | 'phoneNumber'> & BothIds)[]> {
  const asked = people.flatMap((person) => {
    const { lid, numberId } = idsIn(person);
    return lid === undefined || numberId === undefined ? (lid ?? numberId ?? []) : [];
  });
  const pairs = new Map((await contacts.idsOf(asked)).map((pair, index) => [asked[index], pair]));
  return people.map((person) => {
    const { lid: _lid, phoneNumber: _number, ...rest } = person;
    const ids = idsIn(person);
    const pair = pairs.get(ids.lid ?? ids.numberId);
    const lid = ids.lid ?? pair?.lid ?? undefined;
    const phone = (ids.numberId && userOf(ids.numberId)) ?? pair?.phone ?? undefined;
    return {
      ...rest,
      ...(lid === undefined ? {} : { lid }),
      ...(phone === undefined ? {} : { phoneNumber: ids.numberId ?? toNumberId(phone), phone }),
    };
  });
}

function idsIn({ id, lid, phoneNumber }: NamedPerson) {
  return {
    lid: [lid, id].find((each) => isLidUser(each ?? undefined)) ?? undefined,
    numberId: [phoneNumber, id].find((each) => isPnUser(each ?? undefined)) ?? undefined,
  };
}
