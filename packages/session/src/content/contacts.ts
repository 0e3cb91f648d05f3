import type { ContentOf } from '@wafleet/contract';
import type { proto } from '@whiskeysockets/baileys';

type Contact = ContentOf<'contacts'>['contacts'][number];

/** One contact, or a list, which phones show by its first name and the number of the others. */
export function contactsContent({ contacts }: ContentOf<'contacts'>): proto.IMessage {
  const [first, ...others] = contacts.map(toContact);
  if (others.length === 0) return { contactMessage: first ?? {} };
  return {
    contactsArrayMessage: {
      displayName: `${first?.displayName} and ${others.length} other ${others.length === 1 ? 'contact' : 'contacts'}`,
      contacts: contacts.map(toContact),
    },
  };
}

function toContact(contact: Contact): proto.Message.IContactMessage {
  const { name } = contact;
  return { displayName: name, vcard: 'vCard' in contact ? contact.vCard : vCardOf(name, contact.phone) };
}

/** `waid` is what phones open a chat with. */
function vCardOf(name: string, phone: string): string {
  const digits = phone.replace('+', '');
  const text = escaped(name);
  return [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `N:;${text};;;`,
    `FN:${text}`,
    `TEL;type=CELL;waid=${digits}:+${digits}`,
    'END:VCARD',
  ].join('\n');
}

/** A text as a value in a vCard (RFC 6350, section 3.4): no name can add a line or a field. */
function escaped(text: string): string {
  return text.replaceAll(/[\\,;]/g, '\\$&').replaceAll(/\r\n|\r|\n/g, '\\n');
}
