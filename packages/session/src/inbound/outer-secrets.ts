import { encodeWAMessage, proto, type SocketConfig, unpadRandomMax16 } from '@whiskeysockets/baileys';

type MakeSignalRepository = SocketConfig['makeSignalRepository'];

/** The first bytes of the copy of a message that another device of the account sent: the tag of `deviceSentMessage`. */
const DEVICE_SENT = [0xfa, 0x01];

/**
 * A repository that keeps the secrets of messages that other devices of the account sent. WhatsApp's clients may put
 * the secret beside the copy of the message instead of inside it, and Baileys takes only the copy
 * (Utils/decode-wa-message.js).
 */
export function keepOuterSecrets(make: MakeSignalRepository): MakeSignalRepository {
  return (...args) => {
    const repository = make(...args);
    return {
      ...repository,
      decryptMessage: async (message) => withInnerSecret(await repository.decryptMessage(message)),
    };
  };
}

/** @param padded a message as it was decrypted, with its padding. */
export function withInnerSecret(padded: Uint8Array): Uint8Array {
  if (DEVICE_SENT.some((byte, index) => padded[index] !== byte)) return padded;
  const outer = proto.Message.decode(unpadRandomMax16(padded));
  const secret = outer.messageContextInfo?.messageSecret;
  const copy = outer.deviceSentMessage?.message;
  if (!secret || !copy || copy.messageContextInfo?.messageSecret) return padded;
  copy.messageContextInfo = { ...copy.messageContextInfo, messageSecret: secret };
  return encodeWAMessage(outer);
}
