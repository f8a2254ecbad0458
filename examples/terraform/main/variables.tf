variable "dms_endpoint" {
  description = "Where tideway serve answers."
  type        = string
  default     = "http://127.0.0.1:8367"
}

variable "credentials_file" {
  description = "The file credentials in the server's data directory."
  type        = string
}

variable "name" {
  description = "Begins the identifiers of everything here."
  type        = string
  default     = "migration"
}

variable "instance_class" {
  description = "Bounds the memory and the threads of the process that runs the tasks."
  type        = string
  default     = "dms.t3.medium"
}

variable "subnet_ids" {
  description = "Kept and returned; at least one."
  type        = list(string)
  default     = ["subnet-00000000", "subnet-11111111"]
}

variable "source_engine" {
  description = "mysql, mariadb, aurora, postgres or aurora-postgresql."
  type        = string
  default     = "mysql"
}

variable "source_host" {
  type = string
}

variable "source_port" {
  type    = number
  default = 3306
}

variable "source_database" {
  description = "Needed for PostgreSQL; a MySQL source without one is the whole server."
  type        = string
  default     = null
}

variable "source_username" {
  type    = string
  default = "dms"
}

variable "source_password" {
  type      = string
  sensitive = true
}

variable "source_ca_file" {
  description = "PEM file of the CA that signed the source's certificate; null to connect without one."
  type        = string
  default     = null
}

variable "target_engine" {
  description = "As source_engine."
  type        = string
  default     = "postgres"
}

variable "target_host" {
  type = string
}

variable "target_port" {
  type    = number
  default = 5432
}

variable "target_database" {
  type    = string
  default = "app"
}

variable "target_username" {
  type    = string
  default = "dms"
}

variable "target_password" {
  type      = string
  sensitive = true
}

variable "events_topic_arn" {
  description = "A topic that the server has a way to: tideway serve --topics or --sns-endpoint."
  type        = string
  default     = "arn:aws:sns:us-east-1:000000000000:dms-events"
}
