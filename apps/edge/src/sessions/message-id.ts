/**
 * A message id of the form that WhatsApp Web's clients give: `3EB0` and 18 hexadecimal digits. It is chosen before the
 * command is sent, so that a command that is executed twice still makes one message.
 * @param random at least 9 bytes.
 */
export function messageIdOf(random: Buffer): string {
  return `3EB0${random.toString('hex', 0, 9).toUpperCase()}`;
}
