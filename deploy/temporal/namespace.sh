#!/bin/sh
# Create our namespace and register our search attributes. Repeat at will.
# Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, as the temporal command does.
set -eu

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d

tries=30 # a new namespace is known everywhere after some seconds
until known=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" 2>&1); do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "$known" >&2; exit 1; }
    sleep 1
done

while read -r name type; do
    if ! echo "$known" | grep -qw "$name"; then
        temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type "$type"
    fi
done <<END
RungState Keyword
RungLine Keyword
RungSeverity Keyword
RungResponders KeywordList
RungCaller Keyword
END
