import { randomBytes } from 'node:crypto';
import { aesEncryptGCM, type BinaryNode, getBinaryNodeChild, hkdf, proto } from '@whiskeysockets/baileys';
import type { Inbox } from '../messages/inbox.js';
import type { Outbox } from '../messages/outbox.js';
import type { DeviceContext } from '../server/feature.js';

const { ResultType } = proto.MediaRetryNotification;

/**
 * A companion that can no longer download a file asks its own phone for it (`<receipt type=server-error>`). The phone
 * uploads it again and sends the new path, sealed under a key that is derived from the file's media key
 * (`notification type=mediaretry`).
 */
export function answerMediaRetry(receipt: BinaryNode, { device, phone, simulator }: DeviceContext): void {
  const { id = '', to = '', type = '' } = receipt.attrs;
  const rmr = getBinaryNodeChild(receipt, 'rmr');
  device.send({ tag: 'ack', attrs: { class: 'receipt', id, from: to, type } });
  const file = fileOf(id, simulator.inboxes.of(phone), simulator.outboxes.of(phone));
  const directPath = file && simulator.media.uploadAgain(file.directPath);
  const answer = directPath
    ? sealed(id, { ...file, directPath })
    : { tag: 'error', attrs: { code: String(ResultType.NOT_FOUND) } };
  device.notify('mediaretry', [answer, ...(rmr ? [rmr] : [])], { from: phone.jid, id });
}

interface File {
  readonly directPath: string;
  readonly mediaKey: Uint8Array;
}

function fileOf(id: string, inbox: Inbox, outbox: Outbox): File | undefined {
  const received = inbox.messages.find((message) => message.id === id)?.message;
  return fileIn(received ?? outbox.contentOf(id));
}

/** The first file in a message at any depth: in wrappers, or in the header of a template. */
function fileIn(value: unknown): File | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  if (isFile(value)) return value;
  for (const inner of Object.values(value)) {
    const file = fileIn(inner);
    if (file) return file;
  }
  return undefined;
}

function isFile(value: object): value is File {
  return (
    'directPath' in value &&
    typeof value.directPath === 'string' &&
    'mediaKey' in value &&
    value.mediaKey instanceof Uint8Array
  );
}

function sealed(stanzaId: string, { directPath, mediaKey }: File): BinaryNode {
  const notification = { stanzaId, directPath, result: ResultType.SUCCESS };
  const key = hkdf(Buffer.from(mediaKey), 32, { info: 'WhatsApp Media Retry Notification' });
  const iv = randomBytes(12);
  const plain = proto.MediaRetryNotification.encode(notification).finish();
  const ciphertext = aesEncryptGCM(plain, key, iv, Buffer.from(stanzaId));
  return {
    tag: 'encrypt',
    attrs: {},
    content: [
      { tag: 'enc_p', attrs: {}, content: ciphertext },
      { tag: 'enc_iv', attrs: {}, content: iv },
    ],
  };
}
