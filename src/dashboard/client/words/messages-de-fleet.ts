/** What the pages of a fleet say, in German. */
export const GERMAN_OF_FLEET: Readonly<Record<string, string>> = {
  'A week before': 'Eine Woche davor',
  'Bad, 24 h': 'Schlecht, 24 h',
  'Calls, 24 h': 'Anrufe, 24 h',
  'Channels up': 'Kanäle im Gespräch',
  'It is token in [http] of fleet.conf, or a reader’s own.':
    'Es ist token aus [http] von fleet.conf, oder das eines Lesers.',
  Asterisk: 'Asterisk',
  Lag: 'Rückstand',
  'Last heard of': 'Zuletzt gehört',
  'No PBX is known. “asterisk-mes fleet add-pbx NAME” adds one.':
    'Keine Anlage ist bekannt. „asterisk-mes fleet add-pbx NAME“ fügt eine hinzu.',
  PBX: 'Anlage',
  PBXs: 'Anlagen',
  Release: 'Version',
  'Shown are': 'Gezeigt werden',
  Sites: 'Standorte',
  State: 'Zustand',
  'Waiting rows': 'Wartende Zeilen',
  'What only all PBXs together show': 'Was nur alle Anlagen zusammen zeigen',
  'all PBXs': 'alle Anlagen',
  'never heard of': 'nie gehört',
  silent: 'schweigt',
  '{answered} of {of} shards of the store answered: calls are missing here.':
    '{answered} von {of} Teilen des Speichers haben geantwortet: Hier fehlen Anrufe.',
  'A PBX has told nothing for 20 s, so its calls may be missing or old here: {names}.':
    'Eine Anlage hat seit 20 s nichts gemeldet; ihre Anrufe können hier fehlen oder veraltet sein: {names}.',
  '{n} PBXs have told nothing for 20 s, so their calls may be missing or old here: {names}.':
    '{n} Anlagen haben seit 20 s nichts gemeldet; ihre Anrufe können hier fehlen oder veraltet sein: {names}.',
  '{n} channels are up; the {most} worst are shown.':
    '{n} Kanäle sind im Gespräch; die {most} schlechtesten sind gezeigt.',
  '{n} PBX': '{n} Anlage',
  '{n} PBXs': '{n} Anlagen',
  '{n} lost': '{n} verloren',
  '{n} silent': '{n} schweigen',
};
