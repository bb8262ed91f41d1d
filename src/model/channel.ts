/** Asterisk's numbers for the channel states "Down", which a channel that is about to be dialled has, and "Up". */
export const CHANNEL_STATE_DOWN = 0;
export const CHANNEL_STATE_UP = 6;

/** Local channels only lead through the dialplan; they carry no media of their own. */
export const LOCAL_CHANNEL_PREFIX = 'Local/';

/** The channel's name without its serial number: `PJSIP/alice-0000002a` is endpoint `PJSIP/alice`. */
export function endpointOf(channelName: string): string {
  const dash = channelName.lastIndexOf('-');
  return dash > 0 ? channelName.slice(0, dash) : channelName;
}
