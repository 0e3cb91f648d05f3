import type { ContentOf } from '@wafleet/contract';
import type { proto } from '@whiskeysockets/baileys';
import { toPlace } from './location.js';
import { toUnixSeconds } from './unix-seconds.js';

/** An invitation to an event of the calendar, without a call. */
export function eventContent({
  name,
  description,
  start,
  end,
  location,
}: ContentOf<'event'>): proto.IMessage {
  return {
    eventMessage: {
      name,
      isCanceled: false,
      isScheduleCall: false,
      startTime: toUnixSeconds(start),
      ...(end === undefined ? {} : { endTime: toUnixSeconds(end) }),
      ...(description === undefined ? {} : { description }),
      ...(location === undefined ? {} : { location: toPlace(location) }),
    },
  };
}
