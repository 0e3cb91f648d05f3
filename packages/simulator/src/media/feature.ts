import type { Feature } from '../server/feature.js';
import { answerMediaRetry } from './retry.js';
import { maxUploadBytes, mediaRoutes } from './routes.js';

/** How long, in seconds, a client may use the media host before it asks again. */
const mediaConnTtl = 3600;

/** The media host, on the simulator's own host and port, by https. */
export const mediaFeature: Feature = {
  routes: (http, { media, uploads, arrivals }) => mediaRoutes(http, { media, uploads, arrivals }),
  stanzas: { 'receipt:encrypt': answerMediaRetry },
  iqs: {
    'set:w:m': (_iq, { simulator }) => [
      {
        tag: 'media_conn',
        attrs: {
          auth: simulator.uploads.auth,
          auth_ttl: String(mediaConnTtl),
          ttl: String(mediaConnTtl),
          max_buckets: '12',
        },
        content: [
          {
            tag: 'host',
            attrs: {
              hostname: simulator.host,
              type: 'primary',
              maxContentLengthBytes: String(maxUploadBytes),
            },
          },
        ],
      },
    ],
  },
};
