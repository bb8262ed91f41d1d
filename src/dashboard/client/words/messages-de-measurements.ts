/** What the page Measurements says, in German. */
export const GERMAN_OF_MEASUREMENTS: Readonly<Record<string, string>> = {
  'A leg of the call': 'Ein Ende des Anrufs',
  'All that can be in it': 'Alles, was darin stehen kann',
  'Anonymous measurements of calls for somebody who improves things. They are encrypted while they are written; only the recipient can read them.':
    'Anonyme Messwerte von Anrufen für jemanden, der etwas verbessert. Sie werden beim Schreiben verschlüsselt; nur der Empfänger kann sie lesen.',
  'Calls that begin from now on are sent as of another installation.':
    'Anrufe, die von jetzt an beginnen, werden als die einer anderen Installation gesendet.',
  'Collection server': 'Sammelserver',
  Field: 'Feld',
  'Go on as another installation': 'Als andere Installation weitermachen',
  Measurements: 'Messwerte',
  'No call has ended since asterisk-mes was started.':
    'Seit dem Start von asterisk-mes ist kein Anruf zu Ende gegangen.',
  'Nothing is gathered. enabled = yes and a recipient in [measurements] of mes.conf switch it on.':
    'Es wird nichts gesammelt. enabled = yes und ein recipient in [measurements] der mes.conf schalten es ein.',
  Of: 'Von',
  Problem: 'Problem',
  'Since the last start': 'Seit dem letzten Start',
  'Straight to': 'Direkt zu',
  'Take back what was sent': 'Gesendetes zurücknehmen',
  'The recipient deletes the rest when next opening what came. Copies and studies made before, nobody can take back.':
    'Den Rest löscht der Empfänger, wenn er das Gesammelte das nächste Mal öffnet. Kopien und frühere Auswertungen kann niemand zurückholen.',
  Value: 'Wert',
  Waiting: 'Wartend',
  'What a person said': 'Was jemand gesagt hat',
  'What is sent of the last call': 'Was vom letzten Anruf gesendet wird',
  'What it holds': 'Was darin steht',
  Why: 'Warum',
  'Yes, as another installation': 'Ja, als andere Installation',
  'Yes, take it back': 'Ja, zurücknehmen',
  all: 'alle',
  none: 'keine',
  'none: what is gathered waits to be exported': 'keiner: Gesammeltes wartet darauf, exportiert zu werden',
  'off: nothing is gathered and nothing is sent': 'aus: es wird nichts gesammelt und nichts gesendet',
  on: 'an',
  ratings: 'Bewertungen',
  'the media of calls': 'die Audiodaten der Verbindungen (nur Messwerte)',
  '{files} files, {kb} kB of at most {mb} MB, in {spool}': '{files} Dateien, {kb} kB von höchstens {mb} MB, in {spool}',
  '{n} file was taken out of the spool.': '{n} Datei wurde aus der Warteschlange genommen.',
  '{n} files were taken out of the spool.': '{n} Dateien wurden aus der Warteschlange genommen.',
  '{sent} sent, {refused} refused, {dropped} given up for want of room':
    '{sent} gesendet, {refused} abgelehnt, {dropped} aus Platzmangel aufgegeben',
};
