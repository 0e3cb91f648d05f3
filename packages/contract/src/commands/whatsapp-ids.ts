import { z } from 'zod';

/**
 * One spelling for the ids of a person, with the server that WhatsApp names today. Other gateways write `@c.us` for
 * numbers. The id of a device is refused: it names no person.
 */
function canonicalId(id: string): string {
  return id.replace(/@c\.us$/, '@s.whatsapp.net');
}

const NUMBER = String.raw`\+?[1-9][0-9]{6,14}`;
const PERSON = String.raw`[0-9]{5,20}@(s\.whatsapp\.net|c\.us|lid)`;
const GROUP = String.raw`[0-9]{5,20}(-[0-9]{5,20})?@g\.us`;

/** A phone number with its country code, or a WhatsApp id of a person, in any spelling. */
export const personSchema = z
  .string()
  .regex(
    new RegExp(`^(${NUMBER}|${PERSON})$`),
    'must be a phone number with its country code, or the id of a person such as 15551234567@s.whatsapp.net',
  )
  .overwrite(canonicalId);

/** A WhatsApp id of a group. */
export const groupIdSchema = z
  .string()
  .regex(new RegExp(`^${GROUP}$`), 'must be the id of a group, such as 120363061982759618@g.us');

/** A phone number with its country code, or a WhatsApp id of a person or a group, in any spelling. */
export const recipientSchema = z
  .string()
  .regex(
    new RegExp(`^(${NUMBER}|${PERSON}|${GROUP})$`),
    'must be a phone number with its country code, or an id such as 15551234567@s.whatsapp.net',
  )
  .overwrite(canonicalId);

const CHANNEL = '[0-9]{5,20}@newsletter';

/** A WhatsApp id of a channel. */
export const channelIdSchema = z
  .string()
  .regex(new RegExp(`^${CHANNEL}$`), 'must be the id of a channel, such as 120363144038483540@newsletter');

/** Whom or what a message can be sent to: as `recipientSchema`, or a channel. */
export const destinationSchema = z
  .string()
  .regex(
    new RegExp(`^(${NUMBER}|${PERSON}|${GROUP}|${CHANNEL})$`),
    'must be a phone number with its country code, or an id such as 15551234567@s.whatsapp.net',
  )
  .overwrite(canonicalId);

/** Whether a checked destination is a channel. */
export function isChannel(destination: string): boolean {
  return destination.endsWith('@newsletter');
}
