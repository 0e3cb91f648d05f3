import type { Phone } from '../phone/phone.js';
import type { PasskeyAnswer } from './answers.js';
import { ControlError } from './errors.js';
import { given } from './given.js';
import { type ControlRequest, type ControlRoute, route } from './routes.js';
import { bodies } from './schemas.js';

const phone = ({ find, param }: ControlRequest<unknown>) => find.phone(param('number'));

/** Linking by passkey: what the phone demands, and what its owner does. */
export const passkeyRoutes: readonly ControlRoute[] = [
  route('GET', '/phones/:number/passkey', bodies.nothing, (request) => passkeyAnswer(phone(request))),
  route('POST', '/phones/:number/passkey', bodies.passkey, (request) => {
    const { demand, foreground } = request.body;
    const person = phone(request);
    if (demand === null) person.waivePasskey();
    else if (demand !== undefined) person.demandPasskey(given(demand));
    if (foreground !== undefined) person.isForeground = foreground;
    return passkeyAnswer(person);
  }),
  route('POST', '/phones/:number/passkey/sign', bodies.signPasskey, (request) => {
    const { passkey } = phone(request);
    if (!passkey) throw new ControlError('REFUSED', 'the account has no passkey');
    return passkey.sign(request.body.options, given(request.body.flaws ?? {}));
  }),
  route('POST', '/phones/:number/passkey/accept', bodies.acceptPasskey, async (request) => {
    await phone(request).acceptPasskeyCode(request.body.code);
  }),
  route('POST', '/phones/:number/passkey/refuse', bodies.refusePasskey, (request) =>
    phone(request).refusePasskey(request.body?.cause),
  ),
  route('POST', '/phones/:number/passkey/repeat', bodies.nothing, (request) =>
    phone(request).repeatPasskeyRequest(),
  ),
];

function passkeyAnswer({
  demandsPasskey,
  isForeground,
  passkey,
  passkeyCeremony: ceremony,
}: Phone): PasskeyAnswer {
  return {
    demanded: demandsPasskey,
    foreground: isForeground,
    ...given({ credential: passkey?.toVirtualCredential() }),
    ...given({
      ceremony: ceremony && {
        stage: ceremony.stage,
        notifications: ceremony.notifications.map(({ type, acks }) => ({ type, acks })),
        ...given({
          failure: ceremony.failure?.message,
          options: ceremony.options,
          code: ceremony.code,
          shownCode: ceremony.shownCode,
        }),
      },
    }),
  };
}
