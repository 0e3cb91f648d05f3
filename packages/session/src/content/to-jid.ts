import { toNumberId } from '../identity/person-id.js';

/** The WhatsApp id of a person that a client names by a phone number or by an id. Asks no one. */
export function toJid(person: string): string {
  return person.includes('@') ? person : toNumberId(person.replace('+', ''));
}
