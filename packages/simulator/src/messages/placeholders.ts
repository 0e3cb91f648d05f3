import { proto } from '@whiskeysockets/baileys';
import type { Feature } from '../server/feature.js';
import type { Account } from '../world/account.js';
import { chatOf, isPerson } from '../world/chat.js';
import type { Inbox } from './inbox.js';

const { Type } = proto.Message.ProtocolMessage;
const { PLACEHOLDER_MESSAGE_RESEND } = proto.Message.PeerDataOperationRequestType;

/** A companion that got `<unavailable>` asks its own phone for the content. */
export const placeholderFeature: Feature = {
  onPhoneMessage: async ({ id, device, category, message }, { simulator, phone }) => {
    const request = message.protocolMessage?.peerDataOperationRequestMessage;
    if (category !== 'peer' || !device) return;
    if (request?.peerDataOperationRequestType !== PLACEHOLDER_MESSAGE_RESEND) return;
    const wanted = (request.placeholderMessageResendRequest ?? []).flatMap(
      ({ messageKey }) => messageKey?.id ?? [],
    );
    const peerDataOperationResult = wanted.map((each) => ({
      placeholderMessageResendResponse: {
        webMessageInfoBytes: webMessage(phone, simulator.inboxes.of(phone), each),
      },
    }));
    await simulator.outboxes.of(phone).sendPeer(device, {
      protocolMessage: {
        type: Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
        peerDataOperationRequestResponseMessage: {
          peerDataOperationRequestType: PLACEHOLDER_MESSAGE_RESEND,
          stanzaId: id,
          peerDataOperationResult,
        },
      },
    });
  },
};

/** The message as the phone has it; nothing if the phone does not have it. */
function webMessage(phone: Account, inbox: Inbox, id: string): Uint8Array | null {
  const known = inbox.messages.find((message) => message.id === id);
  if (!known) return null;
  const chat = chatOf(known, phone);
  return proto.WebMessageInfo.encode({
    key: {
      remoteJid: isPerson(chat) && known.addressing === 'lid' ? chat.lid : chat.jid,
      fromMe: known.sender === phone,
      id,
      ...(!isPerson(chat) && { participant: known.sender.lid }),
    },
    message: known.message,
    messageTimestamp: known.timestamp,
  }).finish();
}
