import type { BaileysEventMap, Contact, LIDMapping } from '@whiskeysockets/baileys';
import { listEvents } from './list-events.js';
import type { MappedEvent } from './mapped-event.js';
import type { JsonObject } from './normalise.js';
import { published } from './published.js';

export function toContacts(list: readonly Partial<Contact>[]): JsonObject[] {
  return list.filter(({ id }) => id).map((contact) => published('contact', contact));
}

/** Contacts that were saved on the phone. One without a name was deleted there. */
export function mapContactsUpsert(contacts: BaileysEventMap['contacts.upsert']): MappedEvent[] {
  const saved = contacts.filter(({ name }) => name);
  const deleted = contacts.filter(({ name }) => !name);
  return [
    ...listEvents('contacts.upsert', 'contacts', toContacts(saved)),
    ...listEvents(
      'contacts.update',
      'contacts',
      toContacts(deleted).map((contact) => ({ ...contact, name: null })),
    ),
  ];
}

export function mapContactsUpdate(contacts: BaileysEventMap['contacts.update']): MappedEvent[] {
  return listEvents('contacts.update', 'contacts', toContacts(contacts));
}

/** States that two ids belong to one person. */
export function toMappedContact({ lid, pn }: LIDMapping): JsonObject {
  return { id: lid, lid, phoneNumber: pn };
}

export function mapLidMapping(mapping: BaileysEventMap['lid-mapping.update']): MappedEvent[] {
  return listEvents('contacts.update', 'contacts', [toMappedContact(mapping)]);
}

export function mapBlocklist({ blocklist }: BaileysEventMap['blocklist.set']): MappedEvent[] {
  return mapBlocklistUpdate({ blocklist, type: 'add' });
}

export function mapBlocklistUpdate({ blocklist, type }: BaileysEventMap['blocklist.update']): MappedEvent[] {
  return listEvents(
    'contacts.update',
    'contacts',
    blocklist.map((id) => ({ id, blocked: type === 'add' })),
  );
}
