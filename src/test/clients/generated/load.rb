# Loads all of the generated client.
require "countersign_client"
raise "not all operations are there" unless CountersignClient::RedeemApi.method_defined?(:get_token_status)
puts "loaded"
