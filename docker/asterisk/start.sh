# Starts Asterisk as "pbx" or as "phones", with what only this container's environment knows put into its configuration.
set -eu
case "$1" in
  pbx)
    printf 'secret = %s\n' "${MES_AMI_SECRET:?set MES_AMI_SECRET to the secret of the AMI user mes}" >/run/asterisk/secret.conf
    printf 'password = %s\n' "$MES_AMI_SECRET" >/run/asterisk/ari-password.conf
    # Where the sidecar is, in place of this machine.
    sed 's/127\.0\.0\.1:4573/sidecar:4573/' /etc/asterisk-mes/extensions_mes.conf >/run/asterisk/extensions_mes.conf
    ;;
  phones)
    # A number: not every resolver that Asterisk can be built with knows what containers call each other.
    PBX=$(getent hosts pbx | awk '{ print $1; exit }')
    export PBX="${PBX:?the name pbx means nothing here}" DEMO_TALK_SECONDS="${DEMO_TALK_SECONDS:-45}"
    sed "s/@PBX@/$PBX/" /etc/asterisk-phones/pjsip.conf.in >/run/asterisk/pjsip.conf
    ;;
  *)
    echo "start-asterisk knows pbx and phones, not $1" >&2
    exit 2
    ;;
esac
exec asterisk -f -n -C "/etc/asterisk-$1/asterisk.conf"
