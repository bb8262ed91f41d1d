import { z } from 'zod';
import { type Device, NETWORK_KINDS, SIP_TRANSPORTS } from '../../model/phones/device.ts';
import { type FieldsOf, number, orMissing, orNull, text, truth, word } from '../../model/fields/field.ts';
import { presenter, shapeOf } from './json.ts';

const DEVICE_FIELDS = {
  make: orNull(text('who made the device')),
  model: orNull(text('which device of theirs it is')),
  firmware: orNull(text('its release')),
  transport: orNull(word(SIP_TRANSPORTS, 'how its SIP comes')),
  address: orNull(text('of its signalling')),
  isBehindNat: orNull(truth('it knows another address of its own than this server sees')),
  networkKind: orNull(word(NETWORK_KINDS, 'by [network:PREFIX] of mes.conf')),
  country: orMissing(orNull(text('two letters, by the same section'))),
  asn: orMissing(orNull(number('', null, 'the network that carries it, by the same section'))),
  localMedia: orMissing(orNull(text("this server's end of its RTP when it was answered, address:port"))),
  remoteMedia: orMissing(orNull(text('the far end of its RTP when it was answered, address:port'))),
} as const satisfies FieldsOf<Device>;

export const DEVICE = z.strictObject(shapeOf(DEVICE_FIELDS)).describe('the device in parts, and how it is connected');

export const presentDevice = presenter(DEVICE_FIELDS);
