import { randomBytes } from 'node:crypto';

/**
 * Generates a message id of the form that WhatsApp Web's clients give: `3EB0` and 18 hexadecimal digits. It is chosen
 * before the command is sent, so that a command that is executed twice still makes one message.
 */
export function generateMessageId(): string {
  return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
}
