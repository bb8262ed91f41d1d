import { BlockList, isIP } from 'node:net';
import { type Device, deviceText, type SipTransport, SIP_TRANSPORTS } from '../../model/phones/device.ts';
import type { PbxEvent } from '../../model/event.ts';
import { mediaEnd } from '../../wire/ip-address.ts';
import { hostOf, hostOfUri, readVia } from '../../wire/sip/addresses.ts';
import { readUserAgent } from '../../wire/user-agent.ts';
import { AskedOnce, type SipDriver } from '../asterisk/asked-once.ts';
import type { Companion, CompanionContext } from './companion.ts';
import { callIdHider } from '../numbers/call-id-hider.ts';
import { textHider, type TextHider } from '../numbers/hidden-text.ts';

/** Bound on remembered contacts; the oldest is dropped first. */
const MOST_CONTACTS = 5000;
/** A contact is asked again after this time: its device may have new firmware. */
const CONTACT_KEPT_MS = 600_000;
/** The form of a contact's name in Asterisk. It becomes part of a question, so nothing else is allowed. */
const CONTACT_NAME = /^[\w.;@+~-]{1,200}$/;
const LONGEST_USER_AGENT = 200;

/** Finds out the device at the far end of each channel, and its address. Asked once, stored with the channel. */
export function devices(context: CompanionContext): Companion {
  return new Devices(context);
}

interface Registered {
  readonly userAgent: string | undefined;
  /** The address in the device's Via. */
  readonly viaAddress: string | undefined;
}

interface Found {
  readonly userAgent: string | undefined;
  readonly transport: string | undefined;
  readonly address: string | null;
  /** The address that the device has by its own word; null: unknown. */
  readonly ownAddress: string | null;
  readonly sipCallId: string | undefined;
  readonly localMedia: string | undefined;
  readonly remoteMedia: string | undefined;
}

class Devices implements Companion {
  readonly #context: CompanionContext;
  readonly #once: AskedOnce;
  readonly #contacts = new Map<string, { readonly atMs: number; readonly registered: Promise<Registered> }>();
  /** `[network:PREFIX]` sections, the longest prefix first. */
  readonly #networks;
  readonly #hide: Pick<TextHider, 'text' | 'program'>;
  readonly #hideCallId: (callId: string) => string;

  constructor(context: CompanionContext) {
    this.#context = context;
    const { networks, history } = context.settings;
    this.#hideCallId = callIdHider(history);
    const asItIs = (text: string): string => text;
    this.#hide = history.numbers === 'clear' ? { text: asItIs, program: asItIs } : textHider(history);
    this.#networks = networks
      .toSorted((a, b) => b.subnet.prefixLength - a.subnet.prefixLength)
      .map(({ subnet, ...network }) => {
        const list = new BlockList();
        list.addSubnet(subnet.address, subnet.prefixLength, subnet.family);
        return { list, ...network };
      });
    this.#once = new AskedOnce({
      isConnected: () => context.actions.connected,
      ask: async (uniqueid, driver) => this.#ask(uniqueid, driver),
    });
  }

  counters(): Readonly<Record<string, number>> {
    return { contacts: this.#contacts.size, leftOut: this.#once.leftOut };
  }

  take(event: PbxEvent): void {
    this.#once.take(event);
  }

  tick(): void {
    this.#once.tick();
  }

  async #ask(uniqueid: string, driver: SipDriver): Promise<void> {
    const found = driver === 'PJSIP' ? await this.#askPjsip(uniqueid) : await this.#askChanSip(uniqueid);
    const network = this.#networkOf(found.address);
    const name = readUserAgent((found.userAgent ?? '').slice(0, LONGEST_USER_AGENT));
    const { text, program } = this.#hide;
    const details: Device = {
      make: name.make === null ? null : text(name.make),
      model: name.model === null ? null : text(name.model),
      firmware: name.firmware === null ? null : program(name.firmware),
      transport: transportOf(found.transport),
      address: found.address,
      isBehindNat: found.ownAddress === null || found.address === null ? null : found.ownAddress !== found.address,
      networkKind: network?.kind ?? null,
      country: network?.country ?? null,
      asn: network?.asn ?? null,
      localMedia: mediaEnd(found.localMedia),
      remoteMedia: mediaEnd(found.remoteMedia),
    };
    const device = deviceText(details);
    const atMs = this.#context.clock.nowMs();
    // Phone reports are joined by Call-ID. While that companion is on, it asks for it itself.
    if (found.sipCallId !== undefined && this.#context.settings.phoneReports === null) {
      const sipCallId = this.#hideCallId(found.sipCallId);
      this.#context.live.handle({ type: 'sip-call-id', atMs, uniqueid, sipCallId });
    }
    if (device === null && details.address === null) return;
    this.#context.live.handle({ type: 'device', atMs, uniqueid, device, site: network?.site ?? null, details });
  }

  /** Asks about a PJSIP leg. When it called us, its INVITE has the device; when we called it, its registration has. */
  async #askPjsip(uniqueid: string): Promise<Found> {
    const [userAgent, viaText, remote, target, contact, sipCallId, localMedia, remoteMedia] = await this.#values(
      uniqueid,
      [
        'PJSIP_HEADER(read,User-Agent)',
        'PJSIP_HEADER(read,Via,1)',
        'CHANNEL(pjsip,remote_addr)',
        'CHANNEL(pjsip,target_uri)',
        'CHANNEL(contact)',
        'CHANNEL(pjsip,call-id)',
        'CHANNEL(rtp,src)',
        'CHANNEL(rtp,dest)',
      ],
    );
    const media = { sipCallId, localMedia, remoteMedia };
    const address = hostOf(remote) ?? hostOfUri(target);
    const via = viaText === undefined ? undefined : readVia(viaText);
    if (via !== undefined) {
      return { ...media, userAgent, transport: via.transport, address, ownAddress: literal(via.sentBy) };
    }
    const registered = contact === undefined ? undefined : await this.#registered(uniqueid, contact);
    const transport = /^<?sips:/i.test(target ?? '') ? 'tls' : (/;transport=(\w+)/i.exec(target ?? '')?.[1] ?? 'udp');
    return {
      ...media,
      userAgent: registered?.userAgent,
      transport: target === undefined ? undefined : transport,
      address,
      ownAddress: literal(hostOf(registered?.viaAddress)),
    };
  }

  async #askChanSip(uniqueid: string): Promise<Found> {
    const [userAgent, address, sipCallId, remoteMedia] = await this.#values(uniqueid, [
      'CHANNEL(useragent)',
      'CHANNEL(recvip)',
      'SIPCALLID',
      'CHANNEL(rtpdest)',
    ]);
    return {
      userAgent,
      transport: undefined,
      address: hostOf(address),
      ownAddress: null,
      sipCallId,
      localMedia: undefined,
      remoteMedia,
    };
  }

  #registered(uniqueid: string, contact: string): Promise<Registered> | undefined {
    if (!CONTACT_NAME.test(contact)) return undefined;
    const atMs = this.#context.clock.nowMs();
    const known = this.#contacts.get(contact);
    if (known !== undefined && Math.abs(atMs - known.atMs) < CONTACT_KEPT_MS) return known.registered;
    const [oldest] = this.#contacts.keys();
    if (this.#contacts.size >= MOST_CONTACTS && oldest !== undefined) this.#contacts.delete(oldest);
    const names = ['user_agent', 'via_addr'].map((field) => `PJSIP_CONTACT(${contact},${field})`);
    const registered = this.#values(uniqueid, names).then(([userAgent, viaAddress]) => ({ userAgent, viaAddress }));
    this.#contacts.delete(contact);
    this.#contacts.set(contact, { atMs, registered });
    return registered;
  }

  /** The values of variables, in order. Undefined: no value, or the channel is gone. */
  async #values(uniqueid: string, names: readonly string[]): Promise<(string | undefined)[]> {
    return Promise.all(
      names.map(async (name) => {
        try {
          return await this.#context.actions.getVariable(uniqueid, name);
        } catch {
          return undefined;
        }
      }),
    );
  }

  #networkOf(address: string | null) {
    const version = isIP(address ?? '');
    if (address === null || version === 0) return undefined;
    return this.#networks.find(({ list }) => list.check(address, version === 6 ? 'ipv6' : 'ipv4'));
  }
}

function transportOf(text: string | undefined): SipTransport | null {
  return SIP_TRANSPORTS.find((known) => known === text?.toLowerCase()) ?? null;
}

/** An IP address; null for a name, which says nothing about NAT. */
function literal(host: string | null): string | null {
  return host !== null && isIP(host) > 0 ? host : null;
}
