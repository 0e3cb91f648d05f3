import type { ContentOf } from '@wafleet/contract';
import type { proto } from '@whiskeysockets/baileys';

type Place = Omit<ContentOf<'location'>, 'type'>;

/** A place, as messages and events have it. */
export function toPlace({ latitude, longitude, name, address, url }: Place): proto.Message.ILocationMessage {
  return {
    degreesLatitude: latitude,
    degreesLongitude: longitude,
    ...(name === undefined ? {} : { name }),
    ...(address === undefined ? {} : { address }),
    ...(url === undefined ? {} : { url }),
  };
}

export function locationContent({ type: _, ...place }: ContentOf<'location'>): proto.IMessage {
  return { locationMessage: toPlace(place) };
}
