import { type BinaryNode, getAllBinaryNodeChildren } from '@whiskeysockets/baileys';
import type { DeviceContext, Feature } from '../server/feature.js';
import { sendChatState } from './chat-state.js';

/** Presence and chat states, as clients send them. */
export const presenceFeature: Feature = {
  stanzas: {
    presence: (stanza, context) => {
      const { simulator, device, phone } = context;
      const { type, to } = stanza.attrs;
      if (type === 'subscribe') {
        const person = simulator.world.phone(to ?? '');
        if (person && to !== undefined) simulator.presence.subscribe(device, person, to);
      } else if (type === 'available' || type === 'unavailable') {
        device.available = type === 'available';
        simulator.presence.follow(phone);
      }
    },
    chatstate: showChatState,
  },
};

function showChatState(stanza: BinaryNode, { simulator, phone }: DeviceContext): void {
  const [activity] = getAllBinaryNodeChildren(stanza);
  const to = stanza.attrs.to ?? '';
  const chat = simulator.world.groups.get(to) ?? simulator.world.phone(to);
  if (!chat || !activity) return;
  const recording = activity.attrs.media === 'audio';
  sendChatState(phone, chat, recording ? 'recording' : activity.tag === 'paused' ? 'paused' : 'composing');
}
