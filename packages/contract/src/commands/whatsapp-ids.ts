import { z } from 'zod';

/** A phone number with its country code, or a WhatsApp id of a person. */
export const personSchema = z
  .string()
  .regex(
    /^(\+?[1-9][0-9]{6,14}|[0-9]{5,20}@(s\.whatsapp\.net|lid))$/,
    'must be a phone number with its country code, or the id of a person such as 15551234567@s.whatsapp.net',
  );

/** A WhatsApp id of a group. */
export const groupIdSchema = z
  .string()
  .regex(/^[0-9]{5,20}(-[0-9]{5,20})?@g\.us$/, 'must be the id of a group, such as 120363061982759618@g.us');

/** A phone number with its country code, or a WhatsApp id of a person or a group. */
export const recipientSchema = z
  .string()
  .regex(
    /^(\+?[1-9][0-9]{6,14}|[0-9]{5,20}(-[0-9]{5,20})?@(s\.whatsapp\.net|lid|g\.us))$/,
    'must be a phone number with its country code, or an id such as 15551234567@s.whatsapp.net',
  );

/** A WhatsApp id of a channel. */
export const channelIdSchema = z
  .string()
  .regex(/^[0-9]{5,20}@newsletter$/, 'must be the id of a channel, such as 120363144038483540@newsletter');

/** Whom or what a message can be sent to: as `recipientSchema`, or a channel. */
export const destinationSchema = z
  .string()
  .regex(
    /^(\+?[1-9][0-9]{6,14}|[0-9]{5,20}(-[0-9]{5,20})?@(s\.whatsapp\.net|lid|g\.us)|[0-9]{5,20}@newsletter)$/,
    'must be a phone number with its country code, or an id such as 15551234567@s.whatsapp.net',
  );

/** Whether a checked destination is a channel. */
export function isChannel(destination: string): boolean {
  return destination.endsWith('@newsletter');
}
