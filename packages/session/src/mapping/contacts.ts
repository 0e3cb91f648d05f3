import type { BaileysEventMap, Contact } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import { normaliseObject } from './normalise.js';

function mapContacts(
  event: 'contacts.upsert' | 'contacts.update',
  list: readonly Partial<Contact>[],
): MappedEvent[] {
  const contacts = list.filter((contact) => contact.id).map((contact) => normaliseObject(contact));
  return contacts.length === 0 ? [] : [{ event, payload: { contacts } }];
}

export function mapContactsUpsert(contacts: BaileysEventMap['contacts.upsert']): MappedEvent[] {
  return mapContacts('contacts.upsert', contacts);
}

export function mapContactsUpdate(contacts: BaileysEventMap['contacts.update']): MappedEvent[] {
  return mapContacts('contacts.update', contacts);
}
