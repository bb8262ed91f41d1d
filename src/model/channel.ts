/** Asterisk's number for a channel that is "Up". */
export const CHANNEL_STATE_UP = 6;

/** Local channels are bends in the dialplan: they carry no media of their own. */
export const LOCAL_CHANNEL_PREFIX = 'Local/';
